"""Do blobs have the bytes that their names promise?"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from actors.blobs import BlobDamaged, BlobMissing, BlobSource, BlobStore


@dataclass(slots=True)
class Verified:
    blobs: int = 0
    bytes: int = 0
    damaged: list[str] = field(default_factory=list)
    """Digests."""


async def verify(store: BlobSource, digest: str) -> int:
    """Read a blob and compare its hash; answers its size. Raises `BlobMissing`, `BlobDamaged`."""
    hasher, size = hashlib.sha256(), 0
    async with contextlib.aclosing(store.open(digest)) as pieces:
        async for piece in pieces:
            await asyncio.to_thread(hasher.update, piece)
            size += len(piece)
    if hasher.hexdigest() != digest:
        raise BlobDamaged(digest, hasher.hexdigest())
    return size


async def verify_all(store: BlobStore, *, progress: Callable[[Verified], None] = lambda _: None) -> Verified:
    """Every blob, one after the other; one that is deleted meanwhile is passed over. Raises `BlobStoreError`."""
    verified = Verified()
    async with contextlib.aclosing(store.list()) as blobs:
        async for blob in blobs:
            with contextlib.suppress(BlobMissing):
                try:
                    verified.bytes += await verify(store, blob.digest)
                except BlobDamaged:
                    verified.damaged.append(blob.digest)
                verified.blobs += 1
            progress(verified)
    return verified
