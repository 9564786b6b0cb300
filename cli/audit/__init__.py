"""`xp audit`: who did what to what."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "list": ("cli.audit.listing:command", "List the entries of the audit log, newest first"),
    "verify": ("cli.audit.verify:command", "Check that no entry of the audit log was changed or removed"),
    "export": ("cli.audit.export:command", "Write the whole audit log, oldest entry first"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Read, verify and export the audit log.

    Each entry contains a hash of itself and of the previous one, so that changes outside the server are detected.

    Example: xp audit verify
    """
