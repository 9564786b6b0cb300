"""`xp files check`."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from actors import limits
from cli import settings
from cli.files.options import folder_of, store_options, store_problems
from cli.opening.database import options_of
from cli.settings import Settings
from cli.terminal.console import Progress, count, json_option, plain, print_json, progress_bar, size
from cli.terminal.ending import interruptible

if TYPE_CHECKING:
    from storage.maintenance.blob_check import Compared, Records


@click.command("check")
@click.option("--quick", is_flag=True, help="Compare names and sizes only; no blob is read.")
@store_options
@json_option
def command(quick: bool, as_json: bool, **flags: str | None) -> None:
    """Compare the store with the database, and each blob with its hash; exit code 1 if one is missing or damaged.

    Works while a server runs. Surplus blobs do no harm; `xp files prune --surplus` lets them go. From S3 all bytes are
    downloaded, except with --quick.

    Example: xp files check --quick
    """
    chosen = settings.load(flags)
    records = records_of(chosen)
    with interruptible(), store_problems(), progress_bar("comparing") as progress:
        found = asyncio.run(compared(chosen, records, hashes=not quick, progress=progress))
    if as_json:
        print_json(_document(found, records))
    else:
        _tell(found, records)
    click.get_current_context().exit(0 if found.is_sound else 1)


def records_of(chosen: Settings) -> "Records":
    from storage.maintenance.blob_check import Records

    return Records(options_of(folder_of(chosen)))


async def compared(chosen: Settings, records: "Records", *, hashes: bool, progress: Progress) -> "Compared":
    from cli.opening.blobs import open_blobs
    from storage.maintenance.blob_check import compare

    store = open_blobs(chosen)
    total = records.count()
    try:
        return await compare(records, store, hashes=hashes, progress=lambda now: progress(now.named, total))
    finally:
        await store.close()


def _document(found: "Compared", records: "Records") -> dict[str, Any]:
    def named(digest: str) -> dict[str, Any]:
        files = [{"id": uid, "name": name, "version": number} for uid, name, number in records.files_of(digest)]
        return {"sha256": digest, "files": files}

    return {
        "named": found.named, "stored": found.stored, "bytes": found.bytes,
        "missing": [named(digest) for digest in found.missing],
        "damaged": [named(digest) for digest in found.damaged],
        "surplus": [{"sha256": digest, "size": length} for digest, length in found.surplus],
    }  # fmt: skip


def _tell(found: "Compared", records: "Records") -> None:
    click.echo(
        f"{count(found.named, 'blob')} named, {found.stored:,} stored ({size(found.bytes)}): "
        f"{len(found.missing):,} missing, {len(found.damaged):,} damaged, {len(found.surplus):,} surplus."
    )
    _list("missing", found.missing, lambda digest: sentence(records, digest))
    _list("damaged", found.damaged, lambda digest: sentence(records, digest))
    _list("surplus", [digest for digest, _ in found.surplus], lambda digest: digest)


def _list(kind: str, digests: list[str], describe: Callable[[str], str]) -> None:
    for digest in digests[: limits.XP_FINDINGS]:
        click.echo(f"{kind}: {describe(digest)}", err=True)
    if len(digests) > limits.XP_FINDINGS:
        click.echo(f"… and {len(digests) - limits.XP_FINDINGS:,} more {kind}; --json lists all.", err=True)


def sentence(records: "Records", digest: str) -> str:
    """Whose content it is: what an operator restores it for."""
    files = records.files_of(digest)
    named = "; ".join(f"{plain(name) or 'a file'} (version {number} of {uid})" for uid, name, number in files[:3])
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    return f"{digest}, of {named}{more}; restore it from a backup."
