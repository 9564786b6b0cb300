"""`xp files prune`."""

import asyncio
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import click

from actors import limits
from cli import settings
from cli.files.check import compared, records_of
from cli.files.options import STORE, folder_of, library_of, store_problems
from cli.opening.database import reading, writing
from cli.settings import Settings
from cli.terminal.console import count, json_option, print_json, print_table, size

if TYPE_CHECKING:
    from actors.resources.files.retention import Prunable
    from server.files.keeper import Keeper

RULES = ("file_versions", "file_unused_days", "file_pending_days")
COLUMNS = ("rule", "id", "name", "version", "size")


@dataclass
class Outcome:
    """What is or would be deleted."""

    files: int = 0
    versions: int = 0
    bytes: int = 0
    """Of files and versions: room that their owners have again."""
    uploads: int = 0
    blobs: int | None = 0
    """None: the running server collects them."""
    surplus: int | None = None
    """None: not looked for."""
    found: list[dict[str, Any]] = field(default_factory=list)


@click.command("prune")
@click.option("--dry-run", is_flag=True, help="Only list what would be deleted.")
@click.option("--surplus", is_flag=True, help="Also blobs in the store that the database does not know.")
@settings.options(*STORE, *RULES)
@json_option
def command(dry_run: bool, surplus: bool, as_json: bool, **flags: str | None) -> None:
    """Delete what the retention rules let go: old versions, files that nothing shows, records without bytes.

    A running server does the same once an hour. What a message or another record names stays. Ends uploads that have
    expired, too. Bytes leave the store a day after nothing names them: a running server deletes them then, and this
    command where none runs.

    Example: xp files prune --dry-run --file-unused-days 30
    """
    chosen = settings.load(flags)
    with store_problems():
        if dry_run:
            outcome, found = _look(chosen, surplus=surplus)
        else:
            outcome, found = _prune(chosen, surplus=surplus), []
    if as_json:
        print_json({"dry_run": dry_run, **asdict(outcome)})
        return
    if found:
        print_table(COLUMNS, map(_row, found), right=("version", "size"))
    _tell(outcome, would=dry_run)


def _row(item: "Prunable") -> tuple[object, ...]:
    return item.rule, item.file_id, item.name, item.number or "all", size(item.size)


def _look(chosen: Settings, *, surplus: bool) -> "tuple[Outcome, list[Prunable]]":
    from actors.resources.files.retention import START
    from cli.opening.files import retention
    from storage.resources.files import blobs
    from storage.resources.files import retention as rules

    found: list[Prunable] = []
    with reading(folder_of(chosen)) as database:
        after: Any = START
        while after is not None:
            page = rules.page(database, retention(chosen), _now(), after, limits.FILES_PRUNED_AT_ONCE)
            found += page.found
            after = page.next
        ready, _ = blobs.collectable(database, _before())
    files = [item for item in found if item.number is None]
    outcome = Outcome(
        files=len(files), versions=len(found) - len(files), bytes=sum(item.size for item in found),
        uploads=_expired(chosen), blobs=ready, surplus=len(_surplus(chosen)) if surplus else None,
        found=[asdict(item) for item in found],
    )  # fmt: skip
    return outcome, found


def _prune(chosen: Settings, *, surplus: bool) -> Outcome:
    """The server's own keeper, on this command's connections. Only who holds the data folder deletes blobs: of two that
    did so side by side, one could take what an upload has brought since."""
    from cli.opening.database import options_of
    from storage.lock import data_folder_lock, holder
    from storage.maintenance.opening import must_exist

    must_exist(options_of(folder_of(chosen)).path)
    if holder(chosen["data_dir"]) is not None:
        return _run(chosen, surplus=surplus, alone=False)
    with data_folder_lock(chosen["data_dir"]):
        return _run(chosen, surplus=surplus, alone=True)


def _run(chosen: Settings, *, surplus: bool, alone: bool) -> Outcome:
    from actors.resources.files.retention import NoteSurplus
    from cli.opening.blobs import open_blobs
    from server.files.keeper import Keeper

    outcome = Outcome(uploads=_expired(chosen))
    unknown = _surplus(chosen) if surplus else []
    with writing(folder_of(chosen)) as writer:
        keeper = Keeper(library_of(chosen, writer, open_blobs(chosen)))
        if surplus:
            steps = range(0, len(unknown), limits.FILES_PRUNED_AT_ONCE)
            outcome.surplus = sum(
                writer.do(NoteSurplus(tuple(unknown[at : at + limits.FILES_PRUNED_AT_ONCE]))) for at in steps
            )
        asyncio.run(_keep(keeper, outcome, alone=alone))
        writer.note("prune_files", "file", "all")
        writer.settle()
    return outcome


async def _keep(keeper: "Keeper", outcome: Outcome, *, alone: bool) -> None:
    try:
        await keeper.expire()
        pruned = await keeper.prune()
        outcome.files, outcome.versions, outcome.bytes = pruned.files, pruned.versions, pruned.size
        outcome.blobs = await keeper.collect(before=_before()) if alone else None
    finally:
        await keeper.close()


def _expired(chosen: Settings) -> int:
    from storage.resources.files import uploads

    with reading(folder_of(chosen)) as database:
        return uploads.expired_count(database, _now())


def _surplus(chosen: Settings) -> list[tuple[str, int]]:
    records = records_of(chosen)
    return asyncio.run(compared(chosen, records, hashes=False, progress=lambda _, __: None)).surplus


def _now() -> int:
    return time.time_ns() // 1_000_000


def _before() -> int:
    return _now() - limits.BLOB_GRACE_SECONDS * 1000


def _tell(outcome: Outcome, *, would: bool) -> None:
    verb = "Would delete" if would else "Deleted"
    click.echo(
        f"{verb} {count(outcome.files, 'file')} and {count(outcome.versions, 'old version')} ({size(outcome.bytes)}), "
        f"{'and end' if would else 'and ended'} {count(outcome.uploads, 'upload')}."
    )
    if outcome.surplus:
        click.echo(f"{count(outcome.surplus, 'surplus blob')} {'would go' if would else 'will go'} a day later.")
    if outcome.blobs is None:
        click.echo("The running server deletes from the store what nothing has named for a day.")
    else:
        click.echo(f"{verb} {count(outcome.blobs, 'blob')} that nothing has named for a day.")
