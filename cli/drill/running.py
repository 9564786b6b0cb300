"""The faults, one after the other, and what was found after each."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.drill.faults import FAULTS, Stage
from cli.drill.load import Load
from cli.drill.scratch_server import ScratchServer, Spawn, spawn


@dataclass(frozen=True, slots=True)
class Found:
    """After a fault. All counts but the first two should be 0."""

    fault: str
    did: str
    """What was done; why nothing, where it was left out."""
    left_out: bool = False
    seconds: float = 0.0
    acknowledged: int = 0
    refused: dict[str, int] | None = None
    """Error code → how often writers met it, and tried again."""
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    """Offsets in the logs of threads that do not follow each other."""
    missed: int = 0
    """Events that subscribers did not get, or that were not recovered."""
    repeated: int = 0
    behind: int = 0
    """Subscribers that did not get the newest event."""
    damage: int = 0
    """Findings of `xp db check`."""
    tracebacks: int = 0
    """In the log of the server."""

    @property
    def holds(self) -> bool:
        return not any(
            (self.lost, self.doubled, self.out_of_order, self.missed, self.repeated, self.behind, self.damage,
             self.tracebacks)
        )  # fmt: skip


async def drill(
    names: Sequence[str], *, seconds: float, kills: int, copy: Path | None = None, spawn: Spawn = spawn
) -> AsyncIterator[Found]:
    """Each fault with what was found after it. `copy` is a database that the scratch server begins with.

    Raises `click.ClickException` where the server does not start, or never works again.
    """
    with tempfile.TemporaryDirectory(prefix="xp-drill-") as folder:
        server = ScratchServer(Path(folder), spawn)
        _begin_with(server, copy)
        load = Load(server)
        try:
            await server.start()
            await load.prepare()
            for name in names:
                yield await _one(name, Stage(server, load, seconds, kills))
        finally:
            await load.close()
            await server.close()


def _begin_with(server: ScratchServer, copy: Path | None) -> None:
    server.data_dir.mkdir(mode=0o700)
    if copy is not None:
        copy.replace(server.data_dir / copy.name)


async def _one(name: str, stage: Stage) -> Found:
    fault = FAULTS[name]
    if missing := fault.missing():
        return Found(name, missing, left_out=True)
    load, book, began = stage.load, stage.load.book, time.monotonic()
    promised, refused, said = len(book.promised), Counter(book.refusals), stage.server.said().count("Traceback")
    async with load.writing():
        did = await fault.happen(stage)
    messages, out_of_order = await load.logs()
    lost, doubled = book.compare(messages)
    behind = await load.behind()
    cursors = [cursor for subscriber in load.subscribers for cursor in subscriber.cursors.values()]
    unrecovered = sum(subscriber.unrecovered for subscriber in load.subscribers)
    return Found(
        fault=name, did=did, seconds=round(time.monotonic() - began, 1),
        acknowledged=len(book.promised) - promised, refused=dict(book.refusals - refused), lost=lost, doubled=doubled,
        out_of_order=out_of_order, missed=sum(cursor.missed for cursor in cursors) + unrecovered,
        repeated=sum(cursor.doubled for cursor in cursors), behind=behind,
        damage=await asyncio.to_thread(_damage, stage.server),
        tracebacks=stage.server.said().count("Traceback") - said,
    )  # fmt: skip


def _damage(server: ScratchServer) -> int:
    """Findings of the check of the database, while the server runs."""
    from storage.database import FILE_NAME, DatabaseOptions
    from storage.maintenance import integrity, opening

    with opening.snapshot(DatabaseOptions(server.data_dir / FILE_NAME)) as database:
        return sum(finding.count for _, finding in integrity.check(database) if finding is not None)
