"""`xp why`: reasons of what the server did."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "denied": ("cli.why.denied:command", "Say whether a user may call an operation now, and who decides it"),
    "notified": ("cli.why.notified:command", "Say why a user was notified, and by what ways that left the server"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Explain what the server did.

    Example: xp why notified cmwtj2zqi000059b8tfy744ms
    """
