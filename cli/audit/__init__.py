"""`xp audit`: who did what to what."""

import click

from cli.group import LazyGroup

COMMANDS = {
    "list": ("cli.audit.listing:command", "List the entries of the audit log, the newest first"),
    "verify": ("cli.audit.verify:command", "Check that nothing in the audit log was changed or taken away"),
    "export": ("cli.audit.export:command", "Write the whole audit log, the oldest entry first"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Read, verify and export the audit log.

    Each entry carries a hash of itself and of the one before, so changes made outside the server are detected.

    Example: xp audit verify
    """
