"""`xp files`: the bytes of files, in the store that BLOB_URL names."""

import click

from cli.group import LazyGroup

COMMANDS = {
    "verify": ("cli.files.verify:command", "Read every blob and compare its bytes with its hash"),
    "move": ("cli.files.move:command", "Copy all blobs to another store, also while a server runs"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Verify the bytes of files, and move them to another store.

    Example: xp files verify
    """
