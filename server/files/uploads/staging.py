"""Uploads that are not complete: a file each, in a folder of the data folder. Its size is the offset of the upload;
nothing else keeps that.

Blocking work (`StagedFile`) runs in threads of its own, a piece at a time; `Staging` is what the event loop calls.
"""

import asyncio
import errno
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, TypeVar

from aiofiles.base import wrap

from actors import limits
from actors.errors import StorageFull
from actors.identifiers import is_id
from actors.runtime.unbroken import unbroken
from server.files.uploads.disk_pace import DiskPace

T = TypeVar("T")
Hash = Any
"""hashlib's type has no name."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A complete upload: durable, and nobody writes to it."""

    path: Path
    size: int
    sha256: str
    """Hexadecimal."""


class StagedFile:
    """One of them, open. Every method but the properties blocks, and may raise `StorageFull` or `OSError`."""

    def __init__(self, path: Path, known: "tuple[int, Hash] | None" = None) -> None:
        """`known`: a size and the hash of so many bytes, from before."""
        self.path = path
        self._file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")
        self.size = self._file.seek(0, os.SEEK_END)
        self.hash: Hash = known[1] if known is not None and known[0] == self.size else self._hash_again()
        self._is_dirty = False
        self._written_out = self.size

    def _hash_again(self) -> Hash:
        found, piece = hashlib.sha256(), bytearray(limits.TRANSFER_PIECE_BYTES)
        self._file.seek(0)
        while count := self._file.readinto(piece):
            found.update(memoryview(piece)[:count])
        return found

    def append(self, pieces: list[bytes]) -> None:
        _must_leave_room(self._file.fileno())
        for piece in pieces:
            self._write(piece)
            self.hash.update(piece)
            self.size += len(piece)
        self._is_dirty = True
        if self.size - self._written_out >= limits.TRANSFER_WRITE_OUT_BYTES:
            _write_out(self._file.fileno(), self._written_out, self.size)
            self._written_out = self.size

    def append_durably(self, pieces: list[bytes]) -> None:
        self.append(pieces)
        self.save()

    def _write(self, piece: bytes) -> None:
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._file.truncate(self.size)  # a part of a piece is none
            self._file.seek(self.size)
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise _full() from error
            raise

    def restart(self) -> None:
        """From the first byte."""
        self._file.truncate(0)
        self._file.seek(0)
        self.size, self.hash, self._is_dirty = 0, hashlib.sha256(), True
        self._written_out = 0

    def beside(self) -> "StagedFile":
        """An empty one for a piece that is to be looked at before it is appended."""
        piece = StagedFile(self.path.with_name(f"{self.path.name}.piece"))
        piece.restart()
        return piece

    def take(self, other: "StagedFile") -> None:
        """Append what another one holds."""
        other._file.seek(0)
        while piece := other._file.read(limits.TRANSFER_PIECE_BYTES):
            self.append([piece])

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    @property
    def unsynced(self) -> int:
        """Bytes that the kernel has not been asked to write to the disk."""
        return self.size - self._written_out

    @property
    def is_closed(self) -> bool:
        return self._file.closed

    def save(self) -> None:
        """Make durable what there is."""
        if self._is_dirty:
            os.fdatasync(self._file.fileno())
            self._is_dirty, self._written_out = False, self.size

    def close(self) -> None:
        self._file.close()


def _write_out(descriptor: int, start: int, end: int) -> None:
    """Have the kernel begin to write these bytes to the disk: the sync at the end then finds little left to wait for.

    What is written out already would leave the page cache by it; these bytes are not.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, start, end - start, os.POSIX_FADV_DONTNEED)


def _must_leave_room(descriptor: int) -> None:
    disk = os.fstatvfs(descriptor)
    if disk.f_bavail * disk.f_frsize < limits.FREE_DISK_BYTES:
        raise _full()


def _full() -> StorageFull:
    return StorageFull("The server's disk has no space for this upload; what it has of it is kept. Retry later.")


def _give_way() -> None:
    """Hashing takes a whole core as long as it lasts: the event loop goes first where both want the same one."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), limits.TRANSFER_NICENESS)


class Staging:
    """Confined to the event loop, but for the work that it hands to threads."""

    def __init__(self, folder: Path, pace: DiskPace) -> None:
        self._folder = folder
        self._pace = pace
        self._threads = ThreadPoolExecutor(limits.TRANSFER_THREADS, "transfers", _give_way)
        self._hashes: OrderedDict[str, tuple[int, Hash]] = OrderedDict()
        """Of uploads between two of their requests; the newest last."""

    @property
    def threads(self) -> ThreadPoolExecutor:
        return self._threads

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    def path(self, upload_id: str) -> Path:
        assert is_id(upload_id), upload_id
        return self._folder / upload_id

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """In one of the threads, to its end: a request that is cancelled meanwhile does not leave it half-done."""
        return await unbroken(wrap(work)(*arguments, executor=self._threads))

    def append(self, file: StagedFile, pieces: list[bytes]) -> asyncio.Future[None]:
        """For a caller that waits without cancelling it (`asyncio.wait`): no task where there is no pace to keep, so a
        third of the cost. What a slow line brings is left to the kernel until it is worth a sync."""
        waiting = file.unsynced + sum(map(len, pieces))
        if waiting >= limits.TRANSFER_PIECE_BYTES and self._pace.is_needed():
            return asyncio.ensure_future(self._pace.run(lambda: self._start(file.append_durably, pieces)))
        return self._start(file.append, pieces)

    def _start(self, work: Callable[[list[bytes]], None], pieces: list[bytes]) -> asyncio.Future[None]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work, pieces)

    async def open(self, upload_id: str) -> StagedFile:
        return await self.run(StagedFile, self.path(upload_id), self._hashes.pop(upload_id, None))

    async def close_file(self, upload_id: str, file: StagedFile) -> None:
        """With what has come: durable, and its hash remembered."""
        try:
            await self.run(file.save)
        finally:
            self._hashes[upload_id] = file.size, file.hash
            if len(self._hashes) > limits.UPLOADS_REMEMBERED:
                self._hashes.popitem(last=False)
            file.close()

    async def finish(self, file: StagedFile) -> Staged:
        """Closes it."""
        await self.run(file.save)
        file.close()
        return Staged(file.path, file.size, file.hash.hexdigest())

    def forget(self, upload_id: str) -> None:
        """Its hash; the file is another's to remove."""
        self._hashes.pop(upload_id, None)

    async def remove(self, upload_id: str) -> None:
        """The file, if there is one."""
        self.forget(upload_id)
        await self.run(_remove, self.path(upload_id))


def _remove(path: Path) -> None:
    for found in (path, path.with_name(f"{path.name}.piece")):
        found.unlink(missing_ok=True)
