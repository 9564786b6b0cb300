"""`xp actions`: what people did with the blocks of messages and artifacts, and what came of it."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "list": ("cli.actions.listing:command", "List actions on blocks, newest first"),
    "show": ("cli.actions.show:command", "Show an action, what was sent, and the answer"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """List and show actions on blocks, and answers to forms.

    Buttons that were pressed, options that were chosen, forms that were sent.

    Example: xp actions list --status pending
    """
