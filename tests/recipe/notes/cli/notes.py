"""`xp notes`."""

import click

from cli.opening.database import data_dir_option, everyone, reading
from cli.terminal.console import print_table


@click.command("notes")
@click.argument("thread")
@data_dir_option
def command(thread: str, data_dir: str | None) -> None:
    """List the newest notes of a thread.

    Example: xp notes THREAD
    """
    from storage.resources import notes

    with reading(data_dir) as database:
        page = notes.page(database, everyone(), thread, limit=100, before=None)
    print_table(("id", "author", "text"), ((note.id, note.author.name, note.text) for note in page.items))
