"""When the server starts, uploads by forms that the one before was taking in end. Now and then: uploads past their time
end, what the retention rules let go goes, blobs that nothing names leave the store, staged files that nobody continues
are removed."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator
from pathlib import Path

from actors import limits
from actors.blobs import BlobError
from actors.errors import XpError
from actors.resources.files.blobs import ForgetBlobs, TakeBlobs
from actors.resources.files.retention import START, ListPrunable, Pruned, PruneFiles
from actors.resources.files.uploads import EndForms, ExpireUploads
from actors.resources.retention import NoteRetentionRun, Tally
from actors.runtime.periodic import Periodic
from server.files.library import Library

logger = logging.getLogger("server.files")


class Keeper:
    def __init__(self, library: Library, *, every_seconds: float = limits.FILES_KEPT_SECONDS) -> None:
        self._library = library
        self._periodic = Periodic(
            self.tidy, every_seconds=every_seconds, logger=logger, name="tidying files",
            passing=(XpError, BlobError, OSError),
        )  # fmt: skip
        self._look_at_incoming = 0.0
        self._next_pruning = 0.0

    def start(self) -> None:
        self._periodic.start()

    async def stop(self) -> None:
        await self._periodic.stop()

    async def close(self) -> None:
        """Where it was not started: the store."""
        await self._library.close()

    async def tidy(self) -> None:
        await self.expire()
        await self._remove_incoming()
        if time.monotonic() >= self._next_pruning:
            await self.prune()
            self._next_pruning = time.monotonic() + limits.FILES_PRUNED_SECONDS
        await self.collect(before=_now() - limits.BLOB_GRACE_SECONDS * 1000)
        await asyncio.to_thread(_remove_old, self._library.folder, time.time() - 2 * limits.UPLOAD_SECONDS)

    async def expire(self) -> None:
        """End uploads that are past their time."""
        async for upload_id in self._ended(ExpireUploads()):
            await self._library.blobs.delete_incoming(upload_id)

    async def end_forms(self) -> None:
        """Before the first request is taken: one that sends a form again finds nothing of the one before."""
        async for _ in self._ended(EndForms()):
            pass

    async def _ended(self, step: ExpireUploads | EndForms) -> AsyncGenerator[str, None]:
        while True:
            ended = (await self._library.write(step)).result
            for upload_id in ended:
                await asyncio.to_thread((self._library.folder / upload_id).unlink, missing_ok=True)
                yield upload_id
            if len(ended) < step.rows:
                return

    async def prune(self) -> Pruned:
        """One run of the retention rules: found by reads, removed by small transactions, others' writes in between."""
        rules, pruned, after, started_at = self._library.rules.retention, Pruned(), START, _now()
        while True:
            page = await self._library.reads.ask(ListPrunable(rules, _now(), after))
            if page.found:
                pruned += (await self._library.write(PruneFiles(rules, page.found))).result
            if page.next is None:
                break
            after = page.next
        if pruned != Pruned():
            logger.info("pruned %d files and %d old versions, %d bytes", pruned.files, pruned.versions, pruned.size)
            count = pruned.files + pruned.versions
            await self._library.write(NoteRetentionRun(started_at, Tally("files", count, count, pruned.size)))
        return pruned

    async def _remove_incoming(self) -> None:
        """Bytes of direct uploads that have ended: a signed URL takes them once more until it expires. Asked seldom,
        because a store of objects is paid by the request."""
        if time.monotonic() < self._look_at_incoming:
            return
        before = time.time() - 2 * limits.UPLOAD_SECONDS
        async for upload in self._library.blobs.list_incoming():
            if upload.modified < before:
                await self._library.blobs.delete_incoming(upload.key)
        self._look_at_incoming = time.monotonic() + limits.INCOMING_LOOK_SECONDS

    async def collect(self, *, before: int) -> int:
        """Delete what nothing has named since `before` (milliseconds); answers how many blobs that were.

        Marked first, so that a new reference waits until they are gone; then deleted, then forgotten.
        """
        step, gone = TakeBlobs(before=before), 0
        while True:
            taken = (await self._library.write(step)).result
            for digest in taken:
                await self._library.blobs.delete(digest)
            if taken:
                await self._library.write(ForgetBlobs(tuple(taken)))
            gone += len(taken)
            if len(taken) < step.rows:
                return gone


def _now() -> int:
    return time.time_ns() // 1_000_000


def _remove_old(folder: Path, before: float) -> None:
    """Staged files whose upload ended while the process did."""
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_mtime < before:
                path.unlink()
