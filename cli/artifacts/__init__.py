"""`xp artifact`: artifacts, read, exported and restored from a terminal."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "list": ("cli.artifacts.listing:command", "List artifacts, newest first"),
    "show": ("cli.artifacts.show:command", "Show an artifact with its content"),
    "versions": ("cli.artifacts.versions:command", "List versions of an artifact"),
    "proposals": ("cli.artifacts.proposals:command", "List proposals to change an artifact"),
    "comments": ("cli.artifacts.comments:command", "List comments on an artifact"),
    "export": ("cli.artifacts.export:command", "Write an artifact as a file"),
    "restore": ("cli.artifacts.restore:command", "Make an earlier version the newest again"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """List, show, export and restore artifacts.

    Example: xp artifact export ARTIFACT report.html --format html
    """
