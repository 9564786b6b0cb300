"""`xp files rescan`."""

from collections.abc import Iterator

import click

from cli import settings
from cli.files.options import folder_of
from cli.opening.database import Writer, everyone, reading, writing
from cli.terminal.console import count, json_option, print_json


@click.command("rescan")
@click.argument("file_ids", metavar="[FILE_ID]...", nargs=-1)
@click.option("--quarantined", is_flag=True, help="Also what is in quarantine: it may pass now.")
@settings.options("data_dir", "scan_url")
@json_option
def command(file_ids: tuple[str, ...], quarantined: bool, as_json: bool, **flags: str | None) -> None:
    """Have the scanner look at files again: at these, or at all, after its signatures have changed.

    A running server scans them within minutes, one that is stopped when it starts. The newest version of a file can be
    had until the scanner finds something in it.

    Example: xp files rescan --quarantined
    """
    chosen = settings.load(flags)
    if chosen["scan_url"] is None:
        raise click.ClickException("SCAN_URL: expected a scanner; none is set, so nothing would be scanned.")
    with reading(folder_of(chosen)) as database:
        from storage.resources.files import reading as files

        for file_id in file_ids:
            files.one(database, everyone(), file_id)
    with writing(folder_of(chosen)) as writer:
        versions = sum(_steps(writer, file_ids, quarantined=quarantined))
        writer.note("rescan_files", "file", ",".join(file_ids[:10]) or "all")
    if as_json:
        print_json({"versions": versions})
        return
    click.echo(f"{count(versions, 'version')} {'waits' if versions == 1 else 'wait'} for the scanner, {_when(chosen)}.")


def _steps(writer: Writer, file_ids: tuple[str, ...], *, quarantined: bool) -> Iterator[int]:
    """Many at a time, so that others can write in between."""
    from actors.resources.files.processing import RescanFiles

    for file_id in file_ids:
        yield writer.do(RescanFiles(file_id, quarantined=quarantined)).versions
    after: int | None = None if file_ids else 0
    while after is not None:
        step = writer.do(RescanFiles(after=after, quarantined=quarantined))
        yield step.versions
        after = step.next


def _when(chosen: settings.Settings) -> str:
    from storage.lock import holder

    return "which the running server asks" if holder(chosen["data_dir"]) is not None else "once the server runs"
