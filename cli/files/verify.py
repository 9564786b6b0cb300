"""`xp files verify`."""

import asyncio
from typing import TYPE_CHECKING

import click

from cli import settings
from cli.terminal.console import Progress, count, json_option, print_json, progress_bar, size

if TYPE_CHECKING:
    from actors.blobs import BlobStore
    from storage.blobs.verifying import Verified


@click.command("verify")
@settings.options("data_dir", "blob_url", "aws_region")
@json_option
def command(as_json: bool, **flags: str | None) -> None:
    """Read every blob and compare its bytes with its hash; exit code 1 if some differ.

    Works while a server runs. From S3 all bytes are downloaded.

    Example: xp files verify
    """
    from actors.blobs import BlobError
    from cli.opening.blobs import open_filled

    chosen = settings.load(flags)
    try:
        with progress_bar("reading") as progress:
            verified = asyncio.run(_verify(open_filled(chosen), progress))
    except BlobError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        print_json({"blobs": verified.blobs, "bytes": verified.bytes, "damaged": verified.damaged})
    else:
        click.echo(f"Read {count(verified.blobs, 'blob')} ({size(verified.bytes)}); {len(verified.damaged):,} damaged.")
        for digest in verified.damaged:
            click.echo(f"{digest}: restore it from a backup.", err=True)
    click.get_current_context().exit(1 if verified.damaged else 0)


async def _verify(store: "BlobStore", progress: Progress) -> "Verified":
    from storage.blobs.verifying import verify_all

    try:
        total = len([blob.digest async for blob in store.list()])
        return await verify_all(store, progress=lambda now: progress(now.blobs, total))
    finally:
        await store.close()
