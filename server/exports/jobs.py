"""Exports that take long, as jobs: begun by a request, followed by events, fetched within a day."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from actors import limits
from actors.errors import Conflict, KeyReused, NotFound, ShuttingDown, StorageFull, TooManyRequests, XpError
from actors.resources.exports import Export
from actors.runtime.periodic import Periodic
from actors.runtime.unbroken import unbroken
from server.exports.exported import Exported
from server.exports.printer import OnProgress
from server.exports.store import ExportStore

logger = logging.getLogger("server.exports")

Make = Callable[[OnProgress], Awaitable[Exported]]
INTERRUPTED: Final = "The server was restarted while it made this export; ask for it again."


class ExportJobs:
    """Confined to the event loop, but for its store."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._store = ExportStore(folder)
        self.clock = clock
        self._exports: dict[str, Export] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._purging = Periodic(
            self.purge, every_seconds=limits.EXPORTS_PURGED_SECONDS, logger=logger, name="removing old exports",
            passing=(OSError,),
        )  # fmt: skip
        self._closed = False
        self.tell: Callable[[Export], None] = lambda _: None
        """Called with each change of an export."""

    async def start(self) -> None:
        """Reads what is there. What a restart interrupted has failed."""
        for found in await asyncio.to_thread(self._store.open):
            self._exports[found.id] = found
            if not found.is_over:
                await self._fail(found, INTERRUPTED, "export_interrupted")
        self._purging.start()

    async def stop(self) -> None:
        self._closed = True
        running = list(self._tasks.values())
        for task in running:
            task.cancel()
        await self._purging.stop()
        if running:
            await asyncio.wait(running)

    async def begin(self, export: Export, make: Make) -> Export:
        """Raises `TooManyRequests` where the user has enough of them already, `KeyReused`, and `ShuttingDown`."""
        if self._closed:
            raise ShuttingDown("The server is shutting down; ask for the export again in a moment.")
        if (before := self._asked_before(export)) is not None:
            return before
        own = self.of_user(export.user_id)
        if sum(not each.is_over for each in own) >= limits.EXPORTS_AT_ONCE:
            raise TooManyRequests(
                f"At most {limits.EXPORTS_AT_ONCE} exports are made at once for one user; wait for one of yours.",
                retry_after=limits.EXPORT_RETRY_SECONDS,
            )
        self._exports[export.id] = export
        try:
            await unbroken(asyncio.to_thread(self._store.write, export))
        except BaseException:  # its user never learned its id, and it would wait for ever
            await self.remove(export)
            raise
        task = asyncio.get_running_loop().create_task(self._run(export, make))
        self._tasks[export.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(export.id, None))
        await self._forget_beyond(own)
        return export

    def of_user(self, user_id: str) -> list[Export]:
        """Newest first."""
        now = self._now()
        return [
            export
            for export in reversed(self._exports.values())
            if export.user_id == user_id and export.expires_at > now
        ]

    def one(self, user_id: str, export_id: str) -> Export:
        """Raises `NotFound`, also for another user's, and for one that has expired."""
        export = self._exports.get(export_id)
        if export is None or export.user_id != user_id or export.expires_at <= self._now():
            raise NotFound("export", export_id)
        return export

    def path(self, export: Export) -> Path:
        """Of its file. Raises `Conflict` where there is none."""
        if export.status == "FAILED":
            raise Conflict(export.error or "It failed.", code="export_failed")
        if export.status != "DONE":
            raise Conflict("The export is not made yet; `export.progress` says when it is.", code="export_pending")
        return self._store.path(export.id)

    async def remove(self, export: Export) -> None:
        """Also while it is made."""
        self._exports.pop(export.id, None)
        if (task := self._tasks.get(export.id)) is not None:
            task.cancel()
            await asyncio.wait([task])
        await asyncio.to_thread(self._store.remove, export.id)

    async def purge(self) -> None:
        """Remove what has expired."""
        now = self._now()
        for export in [export for export in self._exports.values() if export.expires_at <= now]:
            await self.remove(export)

    def _asked_before(self, export: Export) -> Export | None:
        """As the first request was answered."""
        if export.once_key is None:
            return None
        for each in self.of_user(export.user_id):
            if each.once_key == export.once_key:
                if each.fingerprint != export.fingerprint:
                    raise KeyReused(export.once_key)
                return replace(export, id=each.id, created_at=each.created_at, expires_at=each.expires_at)
        return None

    async def _forget_beyond(self, own: list[Export]) -> None:
        """The oldest of a user go where there are too many of them, or too many bytes."""
        size = 0
        for number, export in enumerate(own, 2):
            size += export.size or 0
            if export.is_over and (number > limits.EXPORTS_KEPT or size > limits.EXPORTS_BYTES):
                await self.remove(export)

    async def _run(self, export: Export, make: Make) -> None:
        def stepped(done: int, steps: int) -> None:
            self._change(replace(self._exports[export.id], status="RUNNING", done=done, steps=steps))

        try:
            made = await make(stepped)
            over = replace(
                self._exports[export.id], status="DONE", name=made.name, media_type=made.media_type,
                size=len(made.body), pages=made.pages, missing_scripts=made.missing_scripts, undrawn=made.undrawn,
                left_out=made.left_out, threads=made.threads,
            )  # fmt: skip
            await unbroken(asyncio.to_thread(self._store.write, replace(over, done=over.steps), made.body))
            self._change(replace(over, done=over.steps))
        except XpError as error:
            await self._fail(export, error.detail, error.code)
        except OSError as error:
            logger.warning("an export could not be stored: %s", error)
            await self._fail(export, "The server's disk did not take it; ask for it again.", StorageFull.code)
        except Exception:
            logger.exception("an export failed")
            await self._fail(export, "A defect of the server; its log has the reason.", "internal")

    async def _fail(self, export: Export, sentence: str, code: str) -> None:
        failed = replace(self._exports[export.id], status="FAILED", error=sentence, code=code)
        with contextlib.suppress(OSError):  # then it is one that a restart has interrupted
            await unbroken(asyncio.to_thread(self._store.write, failed))
        self._change(failed)

    def _change(self, export: Export) -> None:
        if export.id in self._exports:
            self._exports[export.id] = export
            self.tell(export)

    def _now(self) -> int:
        return int(self.clock() * 1000)
