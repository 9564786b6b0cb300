"""`xp webhooks`: where events are posted to, and what became of them."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "list": ("cli.webhooks.listing:command", "List webhooks, newest first"),
    "show": ("cli.webhooks.show:command", "Show a webhook and its newest deliveries"),
    "test": ("cli.webhooks.sending:test_command", "Queue a test event, and wait for what comes of it"),
    "replay": ("cli.webhooks.sending:replay_command", "Deliver dead letters again"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """List, show, test and replay webhooks.

    A running server sends what `test` and `replay` queue.

    Example: xp webhooks show cmwtj2zqi000059b8tfy744ms
    """
