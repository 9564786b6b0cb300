"""`xp retention`: what goes after so many days."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "run": ("cli.retention.run:command", "Apply the retention rules of the settings now"),
    "log": ("cli.retention.log:command", "List the runs of retention rules that took something"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Show and run the retention rules, and read the log of their runs.

    A running server applies the rules once an hour. Rules about files: `xp files prune`.

    Example: xp retention run --dry-run --thread-delete-days 365
    """
