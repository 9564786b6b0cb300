"""`xp user delete`."""

from typing import TYPE_CHECKING, Any

import click

from cli.opening.database import Writer, data_dir_option, reading, writing
from cli.terminal.console import count, plain, size
from cli.users.rendering import named

if TYPE_CHECKING:
    from actors.resources.files.erasure import FileErasure

FATES = {
    "anonymise": "Their messages stay, by an anonymous author.",
    "remove": "Their messages are deleted.",
}
WHAT = {"versions_of_others": "version"}


@click.command("delete")
@click.argument("user")
@click.option(
    "--content", type=click.Choice(tuple(FATES)), default="anonymise", show_default=True,
    help="Whether the user's messages, and files in threads, stay without a name, or are deleted.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@data_dir_option
def command(user: str, content: Any, yes: bool, data_dir: str | None) -> None:
    """Delete a user for good.

    Removes name, address and credentials, ends the user's sessions, and removes them from every thread. Files in no
    thread are deleted. Says which files stay, and why. Asks for confirmation. Messages and files are deleted in small
    steps, also while a server runs; if interrupted, a server continues it.

    Example: xp user delete ana@rpotential.ai --content remove
    """
    from actors.resources.users import DeleteUser
    from storage.maintenance import user_lookup
    from storage.resources.users import export as about

    with reading(data_dir) as database:
        found = user_lookup.find(database, user)
        threads = about.membership_count(database, found.id)
    if not yes:
        question = (
            f"{named(found)} leaves {count(threads, 'thread')} and is deleted for good. {FATES[content]} Continue?"
        )
        click.confirm(question, abort=True, err=True)
    with writing(data_dir) as writer:
        gone = writer.do(DeleteUser(identity=writer.system(), user_id=found.id, content=content))
        _erase(writer)
        writer.settle()
    click.echo(f"Deleted {plain(found.id)}. {FATES[content]}")
    _tell_files(gone.files)


def _tell_files(files: "FileErasure") -> None:
    from actors.resources.files.erasure import REASONS

    if files.removed:
        click.echo(f"Deleted {count(files.removed, 'file')} ({size(files.size)}).")
    for kept in files.kept:
        what = count(kept.count, WHAT.get(kept.reason, "file"))
        click.echo(f"Kept {what} ({size(kept.size)}). {REASONS[kept.reason]}")


def _erase(writer: Writer) -> None:
    """Step by step to the end, so that others can write in between."""
    from actors.resources.users import EraseContent

    step = EraseContent()
    while writer.do(step) == step.rows:
        pass
