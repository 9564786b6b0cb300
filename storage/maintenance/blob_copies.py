"""The blobs that a database names, copied from one store into another: along with a backup, and back.

The copy of the database comes first, and says which blobs there have to be: each of them was stored before its row, and
none is deleted within a day of losing its last reference. What is stored meanwhile belongs to the next backup.
"""

import asyncio
import contextlib
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from actors import limits
from actors.blobs import BlobCopies, BlobDamaged, BlobMissing, BlobSource
from storage.blobs.moving import few_at_once, stage
from storage.blobs.verifying import verify


@dataclass(slots=True)
class Copied:
    copied: int = 0
    bytes: int = 0
    """Of those copied."""
    there: int = 0
    """Already in the target."""
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    """Digests whose bytes are others; they are not copied."""

    @property
    def is_whole(self) -> bool:
        return not self.missing and not self.damaged


PREFIX = ".blobs-"
"""Of folders with blobs on their way."""
Named = tuple[str, int]
"""(digest, bytes)"""


def named_in(path: Path) -> list[Named]:
    """What a copy of a database refers to, in order of digest; also one of an older schema, which knows no blobs."""
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'blob'")
        if tables.fetchone() is None:
            return []
        return database.execute('SELECT digest, size FROM blob WHERE "references" > 0 ORDER BY digest').fetchall()


async def copy_named(
    named: Sequence[Named], source: BlobSource, target: BlobCopies, *, staging: Path, reads_back: bool = False,
    progress: Callable[[Copied], None] = lambda _: None,
) -> Copied:  # fmt: skip
    """Copy what the target lacks of what the database refers to; each is verified by its hash. `reads_back`: what the
    target has already is read, and replaced where it is damaged. It can be stopped and repeated. Raises
    `BlobStoreError`."""
    copied = Copied()
    await asyncio.to_thread(_make_ready, staging)
    with TemporaryDirectory(dir=staging, prefix=PREFIX) as folder:
        copier = _Copier(source, target, Path(folder), reads_back, copied, progress)
        await few_at_once(_each(named), copier.copy)
    return copied


async def find_named(named: Sequence[Named], store: BlobCopies, *, progress: Callable[[Copied], None]) -> Copied:
    """Copy nothing: is each in the store, with its size?"""
    found = Copied()

    async def look(blob: Named) -> None:
        digest, expected = blob
        size = await store.size(digest)
        if size is None:
            found.missing.append(digest)
        elif size != expected:
            found.damaged.append(digest)
        else:
            found.there += 1
        progress(found)

    await few_at_once(_each(named), look)
    return found


def _make_ready(staging: Path) -> None:
    """Without what a killed process has left there."""
    staging.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in staging.glob(f"{PREFIX}*"):
        if folder.stat().st_mtime < time.time() - limits.BLOB_PARTIAL_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


async def _each(named: Sequence[Named]) -> AsyncIterator[Named]:
    for blob in named:
        yield blob


@dataclass(frozen=True, slots=True)
class _Copier:
    source: BlobSource
    target: BlobCopies
    folder: Path
    reads_back: bool
    copied: Copied
    progress: Callable[[Copied], None]

    async def copy(self, blob: Named) -> None:
        digest, size = blob
        try:
            if await self._is_there(digest, size):
                self.copied.there += 1
            else:
                await self._copy(digest)
        except BlobMissing:
            self.copied.missing.append(digest)
        except BlobDamaged:
            self.copied.damaged.append(digest)
        self.progress(self.copied)

    async def _is_there(self, digest: str, size: int) -> bool:
        if await self.target.size(digest) != size:
            return False
        if self.reads_back:
            try:
                await verify(self.target, digest)
            except BlobDamaged:
                return False
        return True

    async def _copy(self, digest: str) -> None:
        staged = await stage(self.source, digest, self.folder / digest)
        try:
            await self.target.put(staged.path, digest, staged.size)
        finally:
            await asyncio.to_thread(staged.path.unlink, missing_ok=True)
        self.copied.copied += 1
        self.copied.bytes += staged.size
