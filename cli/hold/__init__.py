"""`xp hold`: what is under a legal hold."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "add": ("cli.hold.placing:add_command", "Place a legal hold on a thread or a user"),
    "list": ("cli.hold.listing:command", "List legal holds, newest first"),
    "remove": ("cli.hold.placing:remove_command", "Remove a legal hold"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Place, list and remove legal holds.

    While a thread or a user is under one, no rule of retention takes anything of it, and the user cannot be deleted.

    Example: xp hold add --user ana@rpotential.ai --reason "case 2026-17"
    """
