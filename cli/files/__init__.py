"""`xp files`: files, and the store that BLOB_URL names."""

import click

from cli.terminal.group import LazyGroup

COMMANDS = {
    "list": ("cli.files.listing:command", "List files, newest first"),
    "show": ("cli.files.show:command", "Show a file, its versions, and the messages that show it"),
    "get": ("cli.files.get:command", "Write the content of a file to FILE, or to stdout"),
    "put": ("cli.files.put:command", "Upload a file, or a new version of one"),
    "check": ("cli.files.check:command", "Compare the store with the database, and each blob with its hash"),
    "prune": ("cli.files.prune:command", "Delete what the retention rules let go"),
    "rescan": ("cli.files.rescan:command", "Have the scanner look at files again"),
    "rotate-key": ("cli.files.rotate_key:command", "Revoke all signed URLs: a new key signs from now on"),
    "verify": ("cli.files.verify:command", "Read every blob and compare its bytes with its hash"),
    "move": ("cli.files.move:command", "Copy all blobs to another store, also while a server runs"),
}


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """List, read, upload, check and prune files, and move their bytes to another store.

    The terminal sees all files. Their bytes are in the store that BLOB_URL names.

    Example: xp files list --owner ana@rpotential.ai
    """
