"""`xp files move`."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actors import limits
from cli import settings
from cli.settings import Settings
from cli.terminal.console import Progress, count, json_option, print_json, progress_bar, size

if TYPE_CHECKING:
    from actors.blobs import BlobStore
    from storage.blobs.location import Location
    from storage.blobs.moving import Moved


def _location(ctx: click.Context, param: click.Parameter, value: str) -> "Location":
    from storage.blobs.location import parse

    try:
        return parse(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


@click.command("move")
@click.argument("target", callback=_location)
@settings.options("data_dir", "blob_url", "aws_region")
@click.option("--read-back/--no-read-back", default=True, show_default=True, help="Verify each copy by reading it.")
@json_option
def command(target: "Location", read_back: bool, as_json: bool, **flags: str | None) -> None:
    """Copy all blobs to another store, also while a server runs; exit code 1 if some are damaged.

    TARGET is a folder or an s3:// URL. Each blob is verified by its hash. What the target has already is left out, so
    the command can be stopped and repeated. Nothing is deleted. Then set BLOB_URL to TARGET, restart the server, and
    run the command once more with --blob-url set to the old store, for what was added in between.

    Example: xp files move s3://my-files/chat?region=eu-central-1
    """
    chosen = settings.load(flags)
    with progress_bar("copying") as progress:
        moved = _move(chosen, target, read_back, progress)
    if as_json:
        print_json(asdict(moved))
    else:
        _tell(moved, target)
    click.get_current_context().exit(1 if moved.damaged else 0)


def _move(chosen: Settings, target: "Location", read_back: bool, progress: Progress) -> "Moved":
    from actors.blobs import BlobError
    from cli.opening.blobs import location_of, open_blobs, open_filled, with_region

    target = with_region(target, chosen)
    if target == location_of(chosen):
        raise click.ClickException(f"{target}: expected another store than the one that is used now.")
    try:
        source, other = open_filled(chosen), open_blobs(chosen, target)
        return asyncio.run(_move_all(source, other, chosen["data_dir"], read_back, progress))
    except BlobError as error:
        raise click.ClickException(str(error)) from None


async def _move_all(
    source: "BlobStore", target: "BlobStore", staging: Path, read_back: bool, progress: Progress
) -> "Moved":
    try:
        await target.check()
        moved = await _pass(source, target, staging, read_back, progress)
        for _ in range(limits.XP_MOVE_PASSES):
            again = await _pass(source, target, staging, read_back, progress)
            moved.copied, moved.bytes = moved.copied + again.copied, moved.bytes + again.bytes
            if not again.copied:
                break
        return moved
    finally:
        await source.close()
        await target.close()


async def _pass(
    source: "BlobStore", target: "BlobStore", staging: Path, read_back: bool, progress: Progress
) -> "Moved":
    from storage.blobs.moving import Moved, move

    total = len([blob.digest async for blob in source.list()])

    def tell(now: Moved) -> None:
        progress(now.copied + now.skipped + len(now.damaged), total)

    return await move(source, target, staging=staging, read_back=read_back, progress=tell)


def _tell(moved: "Moved", target: "Location") -> None:
    click.echo(f"Copied {count(moved.copied, 'blob')} ({size(moved.bytes)}); {moved.skipped:,} were there already.")
    for digest in moved.damaged:
        click.echo(f"{digest}: damaged in the source, and not copied; restore it from a backup.", err=True)
    click.echo(f"Now set BLOB_URL for {target}, restart the server, and repeat this with --blob-url of the old store.")
