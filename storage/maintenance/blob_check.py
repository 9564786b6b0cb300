"""Do the database and the store of files agree? Both are read in the order of digests, side by side, so that a million
blobs need no memory; what differs is looked at once more, because a server may run meanwhile."""

import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field

from actors import limits
from actors.blobs import BlobDamaged, BlobInfo, BlobMissing, BlobStore
from actors.resources.files.blobs import BlobUse
from storage.blobs.verifying import verify
from storage.database import DatabaseOptions
from storage.maintenance.opening import opened
from storage.resources.files import blobs


class Records:
    """What the database knows of blobs. Each question is a read of its own: none holds up the server's WAL."""

    def __init__(self, options: DatabaseOptions) -> None:
        self._options = options

    def all(self) -> Iterator[BlobUse]:
        """In order of digest."""
        after = ""
        while page := self._page(after):
            yield from page
            after = page[-1].digest

    def _page(self, after: str) -> tuple[BlobUse, ...]:
        with opened(self._options) as database:
            return blobs.page(database, after, limits.CHECKED_BLOBS)

    def count(self) -> int:
        with opened(self._options) as database:
            return blobs.counts(database)[0]

    def one(self, digest: str) -> BlobUse | None:
        with opened(self._options) as database:
            return blobs.one(database, digest)

    def files_of(self, digest: str) -> list[tuple[str, str, int]]:
        """(id, name, number of the version) of the files whose content it is."""
        with opened(self._options) as database:
            return blobs.files_of(database, digest)


@dataclass(slots=True)
class Compared:
    named: int = 0
    """Blobs that something refers to."""
    stored: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    """Of another size, or with other bytes than their names promise."""
    surplus: list[tuple[str, int]] = field(default_factory=list)
    """(digest, bytes) of what the store has and the database does not know."""

    @property
    def is_sound(self) -> bool:
        """What is surplus does no harm."""
        return not self.missing and not self.damaged


async def compare(
    records: Records, store: BlobStore, *, hashes: bool, progress: Callable[[Compared], None] = lambda _: None
) -> Compared:
    """`hashes`: also read each blob. Blobs stored within the last hour may belong to an upload that is being completed:
    they are not surplus. Raises `BlobStoreError`."""
    found = Compared()
    look = _Look(records, store, found, hashes)
    async with contextlib.aclosing(_side_by_side(records, store)) as pairs:
        async for use, blob in pairs:
            await look.at(use, blob)
            progress(found)
    return found


@dataclass(frozen=True, slots=True)
class _Look:
    records: Records
    store: BlobStore
    found: Compared
    hashes: bool

    async def at(self, use: BlobUse | None, blob: BlobInfo | None) -> None:
        if use is not None and use.references:
            self.found.named += 1
            if blob is None:
                await self._missing(use)
        if blob is not None:
            self.found.stored += 1
            self.found.bytes += blob.size
            if use is None:
                self._surplus(blob)
            elif use.size != blob.size:
                self.found.damaged.append(blob.digest)
            elif self.hashes:
                await self._verify(blob.digest)

    async def _missing(self, use: BlobUse) -> None:
        """Stored since it was listed, or no longer referred to: both happen beside a server."""
        now = self.records.one(use.digest)
        if now is not None and now.references and await self.store.size(use.digest) is None:
            self.found.missing.append(use.digest)

    def _surplus(self, blob: BlobInfo) -> None:
        if blob.modified < time.time() - limits.BLOB_FRESH_SECONDS and self.records.one(blob.digest) is None:
            self.found.surplus.append((blob.digest, blob.size))

    async def _verify(self, digest: str) -> None:
        try:
            await verify(self.store, digest)
        except BlobDamaged:
            self.found.damaged.append(digest)
        except BlobMissing:  # deleted since it was listed
            pass


async def _side_by_side(
    records: Records, store: BlobStore
) -> AsyncGenerator[tuple[BlobUse | None, BlobInfo | None], None]:
    """Each digest once, with what either side has of it."""
    uses = records.all()
    use = next(uses, None)
    async with contextlib.aclosing(store.list()) as listed:
        async for blob in listed:
            while use is not None and use.digest < blob.digest:
                yield use, None
                use = next(uses, None)
            if use is not None and use.digest == blob.digest:
                yield use, blob
                use = next(uses, None)
            else:
                yield None, blob
    while use is not None:
        yield use, None
        use = next(uses, None)
