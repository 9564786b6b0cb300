"""Blobs for tests: made, stored and read back."""

import contextlib
import hashlib
import os
from pathlib import Path

from actors.blobs import BlobStore, StagedBlob


def staged(folder: Path, content: bytes) -> StagedBlob:
    digest = hashlib.sha256(content).hexdigest()
    path = folder / f"staged-{digest[:8]}-{os.urandom(4).hex()}"
    path.write_bytes(content)
    return StagedBlob(path, digest, len(content))


async def stored(store: BlobStore, folder: Path, content: bytes) -> str:
    blob = staged(folder, content)
    await store.put(blob.path, blob.digest, blob.size)
    blob.path.unlink(missing_ok=True)
    return blob.digest


async def read(store: BlobStore, digest: str, start: int = 0, end: int | None = None) -> bytes:
    async with contextlib.aclosing(store.open(digest, start, end)) as pieces:
        return b"".join([piece async for piece in pieces])
