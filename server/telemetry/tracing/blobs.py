"""Work of the blob store as spans."""

import contextlib
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager
from pathlib import Path

from actors.blobs import BlobInfo, BlobStore, IncomingInfo, StagedBlob
from server.telemetry.tracing.tracer import SpanTracer


class TracedBlobs:
    """Implements `actors.blobs.BlobStore` by another one; a span for what a command waits for. The digest is left
    out: who has the bytes of a file could search the traces for its owner."""

    def __init__(self, blobs: BlobStore, tracer: SpanTracer) -> None:
        self._blobs = blobs
        self._tracer = tracer

    def _span(self, verb: str) -> AbstractContextManager[None]:
        return self._tracer.inside(f"blobs {verb}", {"xp.blobs.operation": verb})

    async def put(self, path: Path, digest: str, size: int) -> None:
        with self._span("put"):
            await self._blobs.put(path, digest, size)

    async def open(self, digest: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """Until the last piece is taken: a slow reader of the pieces is in it."""
        with self._span("open"):
            async with contextlib.aclosing(self._blobs.open(digest, start, end)) as pieces:
                async for piece in pieces:
                    yield piece

    async def size(self, digest: str) -> int | None:
        with self._span("size"):
            return await self._blobs.size(digest)

    async def adopt(self, key: str, into: Path, *, most: int) -> StagedBlob:
        with self._span("adopt"):
            return await self._blobs.adopt(key, into, most=most)

    async def delete(self, digest: str) -> None:
        with self._span("delete"):
            await self._blobs.delete(digest)

    async def delete_incoming(self, key: str) -> None:
        with self._span("delete_incoming"):
            await self._blobs.delete_incoming(key)

    # Without a span: nothing is asked of the store, or no command waits for it

    def local_path(self, digest: str) -> Path | None:
        return self._blobs.local_path(digest)

    def list(self) -> AsyncGenerator[BlobInfo, None]:
        return self._blobs.list()

    async def signed_get(self, digest: str, seconds: int, *, media_type: str, disposition: str) -> str | None:
        return await self._blobs.signed_get(digest, seconds, media_type=media_type, disposition=disposition)

    async def signed_put(self, key: str, seconds: int, *, size: int) -> str | None:
        return await self._blobs.signed_put(key, seconds, size=size)

    def incoming_path(self, key: str) -> Path | None:
        return self._blobs.incoming_path(key)

    def list_incoming(self) -> AsyncGenerator[IncomingInfo, None]:
        return self._blobs.list_incoming()

    async def check(self) -> None:
        await self._blobs.check()

    async def close(self) -> None:
        await self._blobs.close()
