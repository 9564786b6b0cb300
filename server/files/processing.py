"""What happens to a version after its upload, in the background: the scanner looks at it, then previews are made of it.

What is due stands in the database, so a restart loses nothing. What cannot be done now is tried again later. Previews
that take long do not hold up the scanner.
"""

import asyncio
import contextlib
import hashlib
import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import orjson

from actors import limits
from actors.blobs import BlobMissing
from actors.errors import Unavailable
from actors.identifiers import new_id
from actors.resources.files.blobs import NoteBlobs
from actors.resources.files.file import FilePreview
from actors.resources.files.processing import Due, ListDuePreviews, ListDueScans, RecordPreview, RecordScan
from actors.scanner import Found, Scanner, Verdict
from actors.scanner import Unavailable as NoVerdict
from actors.text.folding import fold
from server.files.backlog import Backlog, Later, Version, version_of
from server.files.library import Library
from server.previews.preview import Output, Preview, PreviewFailed
from server.previews.previewer import Previewer

logger = logging.getLogger("server.files")


class Processing:
    def __init__(
        self, library: Library, folder: Path, *, scanner: Scanner | None = None, previewer: Previewer | None = None,
        must_scan: bool = True,
    ) -> None:  # fmt: skip
        """`folder`: of files that are worked on; it is emptied. `must_scan`: what the scanner cannot look at now waits;
        else it passes."""
        self._library = library
        self._folder = folder
        self._scanner = scanner
        self._previewer = previewer
        self._must_scan = must_scan
        self._tries: dict[Version, int] = {}
        ask = library.reads.ask
        self._scans = Backlog(lambda after: ask(ListDueScans(limits.FILES_DUE, after)), self._scan)
        self._previews = Backlog(lambda after: ask(ListDuePreviews(limits.FILES_DUE, after)), self._preview)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True)
        backlogs = [self._previews] if self._scanner is None else [self._scans, self._previews]

        def announce() -> None:
            for backlog in backlogs:
                backlog.announce()

        self._library.on_version = announce
        self._tasks = [asyncio.get_running_loop().create_task(backlog.run()) for backlog in backlogs]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._previewer is not None:
            await self._previewer.close()

    # Scanning

    async def _scan(self, one: Due) -> None:
        assert self._scanner is not None
        async with self._local(one) as path:
            verdict = await self._scanner.scan(path)
        self._library.scans[_result(verdict)] += 1
        if isinstance(verdict, Found):
            await self._library.write(RecordScan(one.file_id, one.number, "found", verdict.name))
        elif not isinstance(verdict, NoVerdict):
            await self._library.write(RecordScan(one.file_id, one.number, "clean"))
        elif self._must_scan:
            raise Later(verdict.retry_after, verdict.reason)
        else:
            logger.warning("file %s passes without a scan: %s", one.file_id, verdict.reason)
            await self._library.write(RecordScan(one.file_id, one.number, "skipped"))
        self._previews.announce()

    # Previews

    async def _preview(self, one: Due) -> None:
        if self._previewer is None or not self._previewer.can_preview(one.media_type):
            await self._library.write(RecordPreview(one.file_id, one.number, "none"))
            self._library.previews["none"] += 1
            return
        into = self._folder / new_id()
        try:
            async with self._local(one) as path:
                made = await self._previewer.preview(path, one.media_type, into)
            await self._keep(one, made)
        except PreviewFailed as failure:
            await self._failed(one, failure)
        finally:
            await asyncio.to_thread(shutil.rmtree, into, ignore_errors=True)

    async def _failed(self, one: Due, failure: PreviewFailed) -> None:
        tries = self._tries.get(version_of(one), 0) + 1
        if failure.retryable and tries < limits.PREVIEW_TRIES:
            self._tries[version_of(one)] = tries
            raise Later(limits.PREVIEW_RETRY_SECONDS * tries, failure.reason)
        self._tries.pop(version_of(one), None)
        self._library.previews["failed"] += 1
        await self._library.write(RecordPreview(one.file_id, one.number, "failed"))

    async def _keep(self, one: Due, made: Preview) -> None:
        digests = [await asyncio.to_thread(_digest, output.path) for output in made.outputs]
        outputs = list(zip(made.outputs, digests, strict=True))
        await self._library.note(NoteBlobs(tuple((digest, output.size) for output, digest in outputs)))
        previews = tuple([await self._stored(*each) for each in outputs])
        details = orjson.dumps(dict(made.metadata)).decode()
        words = await asyncio.to_thread(_words, made.text or "")
        command = RecordPreview(
            one.file_id, one.number, "done", previews, details, placeholder=made.placeholder, text=made.text,
            words=words,
        )  # fmt: skip
        try:
            await self._library.write(command)
        except Unavailable as error:
            raise Later(limits.PREVIEW_RETRY_SECONDS, error.detail) from error
        self._library.previews["done"] += 1
        self._tries.pop(version_of(one), None)

    async def _stored(self, output: Output, digest: str) -> FilePreview:
        await self._library.blobs.put(output.path, digest, output.size)
        return FilePreview(output.name, output.media_type, digest, output.size, output.width, output.height)

    @contextlib.asynccontextmanager
    async def _local(self, one: Due) -> AsyncIterator[Path]:
        """The bytes as a local file: the blob itself where it is one."""
        path = self._library.blobs.local_path(one.digest)
        if path is not None:
            if not await asyncio.to_thread(path.exists):
                raise BlobMissing("blob", one.digest)
            yield path
            return
        copy = self._folder / new_id()
        try:
            async with contextlib.aclosing(self._library.blobs.open(one.digest)) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(_append, copy, piece)
            yield copy
        finally:
            await asyncio.to_thread(copy.unlink, missing_ok=True)


def _result(verdict: Verdict) -> str:
    if isinstance(verdict, Found):
        return "found"
    return "unavailable" if isinstance(verdict, NoVerdict) else "clean"


def _words(text: str) -> str:
    """For the search index, not in the journal: a second for some texts. A character may become eighteen."""
    return fold(text)[: limits.SEARCH_FILE_WORDS]


def _append(path: Path, piece: bytes) -> None:
    with path.open("ab") as file:
        file.write(piece)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
