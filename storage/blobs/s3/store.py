"""Blobs in a bucket of S3, or of what speaks its protocol (R2, MinIO, GCS): by obstore, the extra `s3`."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiofiles
import obstore

from actors import limits
from actors.blobs import (
    BlobDamaged,
    BlobInfo,
    BlobMissing,
    BlobStoreError,
    BlobStoreUnavailable,
    BlobTooLarge,
    IncomingInfo,
    StagedBlob,
)
from actors.runtime.unbroken import unbroken_context
from storage.blobs import layout
from storage.blobs.durable import plain_words
from storage.blobs.location import S3Location
from storage.blobs.s3 import errors
from storage.blobs.s3.client import DEFAULT_REGION, Patience, connect
from storage.blobs.s3.reading import Reader
from storage.blobs.s3.signing import S3Keys, Signer
from storage.private_files import private

MEDIA_TYPE = "application/octet-stream"
"""Of every object: opened in a public bucket by mistake, none is shown as a page."""


class S3Store:
    """Implements `actors.blobs.BlobStore`."""

    def __init__(self, location: S3Location, keys: S3Keys | None, patience: Patience | None = None) -> None:
        """Without keys obstore looks for them where AWS's own tools do: environment, web identity, instance metadata.

        Raises `BlobStoreRefused` where the options do not fit together.
        """
        self._bucket = connect(location, keys, patience or Patience())
        self._reader = Reader(self._bucket)
        self._prefix = f"{location.prefix}/" if location.prefix else ""
        self._signer = Signer(keys, location.region or DEFAULT_REGION) if keys else None
        self._large = asyncio.Semaphore(limits.S3_UPLOADS_AT_ONCE)
        self._small = asyncio.Semaphore(limits.S3_SMALL_UPLOADS_AT_ONCE)

    async def put(self, path: Path, digest: str, size: int) -> None:
        target = layout.blob_path(digest)
        there = await self._head(target)
        if there is not None and there["size"] == size and time.time() - _modified(there) < limits.BLOB_FRESH_SECONDS:
            return
        staged = await asyncio.to_thread(_file_size, path)
        if staged is None and there is None:
            raise BlobMissing("staged file or blob", digest)
        if staged is None:
            return
        if staged != size:
            raise BlobDamaged(digest, f"a file of {staged} bytes where {size} were announced")
        started = time.time()
        try:
            await self._upload(path, target, size)
        except BlobStoreUnavailable:
            if not await self._has_arrived(target, size, started):
                raise

    async def _has_arrived(self, target: str, size: int, since: float) -> bool:
        """The store may have finished after we stopped waiting for its answer."""
        with contextlib.suppress(BlobStoreError):
            there = await self._head(target)
            return there is not None and there["size"] == size and _modified(there) >= since - limits.S3_CLOCK_SECONDS
        return False

    async def _upload(self, path: Path, target: str, size: int) -> None:
        """In one request, or in parts, of which S3 makes an object when all are there."""
        async with self._large if size > limits.S3_PART_BYTES else self._small:
            try:
                with self._bucket.plain_words():
                    await obstore.put_async(
                        self._bucket.store, target, path, attributes={"Content-Type": MEDIA_TYPE},
                        chunk_size=limits.S3_PART_BYTES, max_concurrency=limits.S3_PARTS_AT_ONCE,
                    )  # fmt: skip
            except FileNotFoundError:
                raise BlobMissing("staged file", str(path)) from None

    def open(self, digest: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        return self._reader.read(layout.blob_path(digest), "blob", digest, start, end)

    def local_path(self, digest: str) -> Path | None:
        return None

    async def size(self, digest: str) -> int | None:
        there = await self._head(layout.blob_path(digest))
        return None if there is None else int(there["size"])

    async def _head(self, path: str) -> Any:
        """None where the object is missing; a missing bucket is an error, as a read of the object tells."""
        with self._bucket.plain_words():
            try:
                return await obstore.head_async(self._bucket.store, path)
            except FileNotFoundError:
                pass
            try:
                return (await obstore.get_async(self._bucket.store, path)).meta  # stored since
            except FileNotFoundError as error:
                if errors.is_missing(error):
                    return None
                raise

    async def delete(self, digest: str) -> None:
        await self._delete(layout.blob_path(digest))

    async def _delete(self, path: str) -> None:
        with self._bucket.plain_words():
            try:
                await obstore.delete_async(self._bucket.store, path)
            except FileNotFoundError as error:
                if not errors.is_missing(error):
                    raise

    async def list(self) -> AsyncGenerator[BlobInfo, None]:
        async for entry in self._list(None):
            digest = layout.digest_of(entry["path"])
            if digest is not None:
                yield BlobInfo(digest, entry["size"], _modified(entry))

    async def _list(self, prefix: str | None) -> AsyncGenerator[Any, None]:
        with self._bucket.plain_words():
            async for page in obstore.list(self._bucket.store, prefix=prefix, chunk_size=1000):
                for entry in page:
                    yield entry

    async def signed_get(self, digest: str, seconds: int, *, media_type: str, disposition: str) -> str | None:
        headers = {"response-content-type": media_type, "response-content-disposition": disposition}
        return self._signed("GET", layout.blob_path(digest), seconds, query=headers)

    async def signed_put(self, key: str, seconds: int, *, size: int) -> str | None:
        return self._signed("PUT", layout.incoming_path(key), seconds, headers={"content-length": str(size)})

    def _signed(self, method: str, path: str, seconds: int, **more: Any) -> str | None:
        if self._signer is None:
            return None
        until = max(1, min(seconds, limits.S3_SIGNED_SECONDS))
        url = f"{self._bucket.base}/{self._prefix}{path}"
        return self._signer.url(method, url, now=datetime.now(UTC), seconds=until, **more)

    def incoming_path(self, key: str) -> Path | None:
        return None

    async def adopt(self, key: str, into: Path, *, most: int) -> StagedBlob:
        async with contextlib.aclosing(self._reader.read(layout.incoming_path(key), "upload", key)) as pieces:
            first = await anext(pieces, b"")
            try:
                with plain_words(into.parent):
                    return await _written(into, first, pieces, most)
            except BaseException:
                await asyncio.to_thread(into.unlink, missing_ok=True)
                raise

    async def delete_incoming(self, key: str) -> None:
        await self._delete(layout.incoming_path(key))

    async def list_incoming(self) -> AsyncGenerator[IncomingInfo, None]:
        async for entry in self._list(layout.INCOMING):
            key = entry["path"].rpartition("/")[2]
            yield IncomingInfo(key, entry["size"], _modified(entry))

    async def check(self) -> None:
        probe = layout.incoming_path(f"probe-{uuid4().hex}")
        with self._bucket.plain_words():
            await obstore.put_async(self._bucket.store, probe, b"probe")
            found = [piece async for piece in self._reader.read(probe, "upload", probe)]
            await obstore.delete_async(self._bucket.store, probe)
        if b"".join(found) != b"probe":
            raise BlobStoreUnavailable(f"{self._bucket.where} answered other bytes than were stored. Check the store.")

    async def close(self) -> None:
        """obstore closes its connections with the store."""


async def _written(into: Path, piece: bytes, more: AsyncGenerator[bytes, None], most: int) -> StagedBlob:
    hasher, size = hashlib.sha256(), 0
    async with unbroken_context(aiofiles.open(into, "wb", opener=private)) as file:
        while piece:
            size += len(piece)
            if size > most:
                raise BlobTooLarge(most)
            await asyncio.to_thread(hasher.update, piece)
            await file.write(piece)
            piece = await anext(more, b"")
    return StagedBlob(into, hasher.hexdigest(), size)


def _modified(entry: Any) -> float:
    return float(entry["last_modified"].timestamp())


def _file_size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
