"""Copying every blob from one store into another, while a server may use both; to be repeated until nothing is left."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import aiofiles

from actors import limits
from actors.blobs import BlobDamaged, BlobInfo, BlobMissing, BlobSource, BlobStore, StagedBlob
from actors.runtime.unbroken import unbroken_context
from storage.blobs.verifying import verify
from storage.private_files import private

T = TypeVar("T")


@dataclass(slots=True)
class Moved:
    """How far a move has come."""

    copied: int = 0
    bytes: int = 0
    """Of those copied."""
    skipped: int = 0
    """There already, of the same size."""
    damaged: list[str] = field(default_factory=list)
    """Digests whose bytes are others; they are not copied."""


async def move(
    source: BlobStore,
    target: BlobStore,
    *,
    staging: Path,
    read_back: bool = True,
    progress: Callable[[Moved], None] = lambda _: None,
) -> Moved:
    """Copy what the target lacks. The source keeps everything; a blob deleted meanwhile is passed over.

    Each blob is verified by its hash before it is stored, and with `read_back` once more as the target answers it.
    Stop it at any time and call it again: it goes on. `progress` is called after each blob. Raises `BlobStoreError`
    where a store fails. `staging` is a folder with room for `limits.BLOB_COPIES_AT_ONCE` blobs.
    """
    moved = Moved()
    await asyncio.to_thread(staging.mkdir, mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=staging, prefix="blobs-move-") as folder:
        copier = _Copier(source, target, Path(folder), read_back, moved, progress)
        async with contextlib.aclosing(source.list()) as blobs:
            await few_at_once(blobs, copier.copy)
    return moved


@dataclass(frozen=True, slots=True)
class _Copier:
    source: BlobStore
    target: BlobStore
    folder: Path
    read_back: bool
    moved: Moved
    progress: Callable[[Moved], None]

    async def copy(self, blob: BlobInfo) -> None:
        try:
            if await self.target.size(blob.digest) == blob.size:
                self.moved.skipped += 1
            else:
                await self._copy_verified(blob.digest)
        except BlobMissing:  # deleted since it was listed
            pass
        except BlobDamaged:
            self.moved.damaged.append(blob.digest)
        self.progress(self.moved)

    async def _copy_verified(self, digest: str) -> None:
        staged = await stage(self.source, digest, self.folder / digest)
        try:
            await self.target.put(staged.path, digest, staged.size)
        finally:
            await asyncio.to_thread(staged.path.unlink, missing_ok=True)
        if self.read_back:
            await verify(self.target, digest)
        self.moved.copied += 1
        self.moved.bytes += staged.size


async def few_at_once(items: AsyncIterable[T], work: Callable[[T], Coroutine[None, None, None]]) -> None:
    """`limits.BLOB_COPIES_AT_ONCE` of them, side by side; the first that fails ends all."""
    running: set[asyncio.Task[None]] = set()
    try:
        async for item in items:
            if len(running) >= limits.BLOB_COPIES_AT_ONCE:
                running = await _one_done(running)
            running.add(asyncio.create_task(work(item)))
        while running:
            running = await _one_done(running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _one_done(running: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    done, still = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return still


async def stage(store: BlobSource, digest: str, into: Path) -> StagedBlob:
    """A blob as a local file; raises `BlobMissing`, `BlobDamaged`."""
    hasher, size = hashlib.sha256(), 0
    async with (
        unbroken_context(aiofiles.open(into, "wb", opener=private)) as file,
        contextlib.aclosing(store.open(digest)) as pieces,
    ):
        async for piece in pieces:
            await asyncio.to_thread(hasher.update, piece)
            await file.write(piece)
            size += len(piece)
    if hasher.hexdigest() != digest:
        raise BlobDamaged(digest, hasher.hexdigest())
    return StagedBlob(into, digest, size)
