"""Blobs in a folder: `ab/cd/<digest>`, private to the server's user, whole or absent whatever happens."""

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from actors import limits
from actors.blobs import BlobDamaged, BlobInfo, BlobMissing, BlobTooLarge, IncomingInfo, StagedBlob
from storage.blobs import layout
from storage.blobs.durable import DurableFolder, plain_words
from storage.private_files import FILE_MODE

T = TypeVar("T")


class FolderStore:
    """Implements `actors.blobs.BlobStore`. All disk work runs in OS threads of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._folder = DurableFolder(self.root)
        self._threads = ThreadPoolExecutor(limits.BLOB_DISK_THREADS, thread_name_prefix="blobs")

    async def put(self, path: Path, digest: str, size: int) -> None:
        target = self._blob(digest)
        await self._run(lambda: self._put(path, target, digest, size))

    def _put(self, path: Path, target: Path, digest: str, size: int) -> None:
        try:
            staged = path.stat().st_size
        except FileNotFoundError:
            if _size(target) == size:  # a repetition: the rename was done before
                return
            raise BlobMissing("staged file or blob", digest) from None
        if staged != size:
            raise BlobDamaged(digest, f"a file of {staged} bytes where {size} were announced")
        self._folder.take(path, target)

    async def open(self, digest: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        path = self._blob(digest)
        try:
            with plain_words(self.root):
                file = await self._opened(path)
        except FileNotFoundError:
            raise BlobMissing("blob", digest) from None
        try:
            await self._run(lambda: file.seek(start))
            left = float("inf") if end is None else end - start
            while left > 0 and (piece := await self._run(partial(file.read, int(min(left, limits.BLOB_PIECE_BYTES))))):
                left -= len(piece)
                yield piece
        finally:
            self._close(file)

    async def _opened(self, path: Path) -> BufferedReader:
        """A reader that is cancelled while its file is being opened leaves no open file behind."""
        opening = self._threads.submit(open, path, "rb")
        try:
            return await asyncio.wrap_future(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close)
            raise

    def _close(self, file: BufferedReader) -> None:
        """In a thread, since it waits for a piece that is being read."""
        try:
            self._threads.submit(file.close)
        except RuntimeError:  # the store was closed
            file.close()

    def local_path(self, digest: str) -> Path | None:
        return self._blob(digest)

    async def size(self, digest: str) -> int | None:
        path = self._blob(digest)
        return await self._run(lambda: _size(path))

    async def delete(self, digest: str) -> None:
        path = self._blob(digest)
        await self._run(lambda: path.unlink(missing_ok=True))

    async def list(self) -> AsyncGenerator[BlobInfo, None]:
        for first in await self._run(lambda: _names(self.root)):
            if len(first) == 2:
                for blob in await self._run(partial(_blobs, self.root, first)):
                    yield blob

    async def signed_get(self, digest: str, seconds: int, *, media_type: str, disposition: str) -> str | None:
        return None

    async def signed_put(self, key: str, seconds: int, *, size: int) -> str | None:
        return None

    def incoming_path(self, key: str) -> Path | None:
        return self.root / layout.incoming_path(key)

    async def adopt(self, key: str, into: Path, *, most: int) -> StagedBlob:
        upload = self.root / layout.incoming_path(key)
        try:
            return await self._run(lambda: _adopt(upload, into, most))
        except FileNotFoundError:
            raise BlobMissing("upload", key) from None

    async def delete_incoming(self, key: str) -> None:
        path = self.root / layout.incoming_path(key)
        await self._run(lambda: path.unlink(missing_ok=True))

    async def list_incoming(self) -> AsyncGenerator[IncomingInfo, None]:
        for upload in await self._run(lambda: _uploads(self.root)):
            yield upload

    async def check(self) -> None:
        await self._run(self._check)

    def _check(self) -> None:
        self._folder.make(self.root / layout.INCOMING)
        probe = self._folder.partial()
        try:
            probe.write_bytes(b"probe")
            probe.read_bytes()
        finally:
            probe.unlink(missing_ok=True)

    async def close(self) -> None:
        self._threads.shutdown(wait=False)

    def _blob(self, digest: str) -> Path:
        return self.root / layout.blob_path(digest)

    async def _run(self, work: Callable[[], T]) -> T:
        with plain_words(self.root):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _close(opening: Future[BufferedReader]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _blobs(root: Path, first: str) -> list[BlobInfo]:
    found = []
    for second in _names(root / first):
        for name in _names(root / first / second):
            digest = layout.digest_of(f"{first}/{second}/{name}")
            with contextlib.suppress(FileNotFoundError):  # deleted since
                if digest is not None:
                    status = (root / first / second / name).stat()
                    found.append(BlobInfo(digest, status.st_size, status.st_mtime))
    return found


def _uploads(root: Path) -> list[IncomingInfo]:
    found = []
    for name in _names(root / layout.INCOMING):
        with contextlib.suppress(FileNotFoundError):
            status = (root / layout.INCOMING / name).stat()
            found.append(IncomingInfo(name, status.st_size, status.st_mtime))
    return found


def _adopt(upload: Path, into: Path, most: int) -> StagedBlob:
    if upload.stat().st_size > most:
        raise BlobTooLarge(most)
    try:
        os.replace(upload, into)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copyfile(upload, into)
        upload.unlink()  # last: a copy that was cut short is made again
    into.chmod(FILE_MODE)
    with into.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return StagedBlob(into, digest, file.tell())
