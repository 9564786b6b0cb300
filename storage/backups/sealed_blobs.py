"""Copies of files that are sealed on their way into a store, and unsealed on their way back."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import IO

from actors.blobs import BlobDamaged, BlobStore
from storage.backups.keys import SealingKey
from storage.backups.sealing import HEADER, PIECE, TAG, seal, sealed_size, unsealed
from storage.database import DatabaseProblem
from storage.private_files import private


class SealedBlobs:
    """Implements `BlobCopies`. Names in the store are made from the digests by the key."""

    def __init__(self, store: BlobStore, keys: tuple[SealingKey, ...]) -> None:
        """The first key seals; what another one has sealed is found, too."""
        self._store = store
        self._keys = keys

    async def size(self, digest: str) -> int | None:
        """Of the content; None where there is no copy. Any other size than the sealed one's is a wrong one."""
        found = await self._found(digest)
        return None if found is None else _content_size(found[1])

    async def _found(self, digest: str) -> tuple[str, int] | None:
        for key in self._keys:
            name = key.name_of(digest)
            size = await self._store.size(name)
            if size is not None:
                return name, size
        return None

    async def put(self, path: Path, digest: str, size: int) -> None:
        sealed = path.with_name(f"{path.name}.sealed")
        try:
            await asyncio.to_thread(_seal, path, sealed, self._keys[0])
            await self._store.put(sealed, self._keys[0].name_of(digest), sealed_size(size))
        finally:
            await asyncio.to_thread(sealed.unlink, missing_ok=True)

    async def open(self, digest: str) -> AsyncGenerator[bytes, None]:
        found = await self._found(digest)
        name = found[0] if found else self._keys[0].name_of(digest)
        with tempfile.TemporaryFile() as copy:
            await self._fetch(name, copy)
            pieces = unsealed(copy, self._keys, named=name)
            try:
                while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                    yield piece
            except DatabaseProblem as problem:
                raise BlobDamaged(digest, str(problem)) from problem

    async def _fetch(self, name: str, copy: IO[bytes]) -> None:
        async with contextlib.aclosing(self._store.open(name)) as pieces:
            async for piece in pieces:
                await asyncio.to_thread(copy.write, piece)
        copy.seek(0)

    def local_path(self, digest: str) -> Path | None:
        return None

    async def close(self) -> None:
        await self._store.close()


def _content_size(size: int) -> int:
    """The inverse of `sealed_size`; -1 for a size that no sealed file has."""
    pieces = max(1, -(-(size - HEADER) // (PIECE + TAG)))
    content = size - HEADER - TAG * pieces
    return content if content >= 0 and sealed_size(content) == size else -1


def _seal(path: Path, sealed: Path, key: SealingKey) -> None:
    with path.open("rb") as source, open(sealed, "wb", opener=private) as target:
        seal(source, target, key, compress=False)
