"""Reading an object: in small pieces, from any byte on, over connections that break and servers without ranges."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import obstore

from actors import limits
from actors.blobs import BlobMissing, BlobStoreUnavailable
from storage.blobs.s3 import errors
from storage.blobs.s3.client import Bucket

logger = logging.getLogger("storage.blobs")


class Reader:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._takes_ranges = True

    async def read(
        self, path: str, what: str, name: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Goes on where a connection broke, as long as each try brings some bytes."""
        position, failures = start, 0
        while end is None or position < end:
            try:
                async with contextlib.aclosing(self._try_to_read(path, position, end)) as pieces:
                    async for piece in pieces:
                        position += len(piece)
                        failures = 0
                        yield piece
                return
            except FileNotFoundError:
                raise BlobMissing(what, name) from None
            except BlobStoreUnavailable as error:
                failures += 1
                if failures > self._bucket.patience.retries:
                    raise
                logger.info("reading %s %s goes on at byte %d: %s", what, name, position, error)
                await asyncio.sleep(_pause(failures))

    async def _try_to_read(self, path: str, start: int, end: int | None) -> AsyncGenerator[bytes, None]:
        with self._bucket.plain_words():
            found = await self._get(path, start, end)
            if found is None:
                return
            position, stop = found.range
            last = min(stop, end) if end is not None else stop
            async for chunk in found.stream(min_chunk_size=limits.BLOB_PIECE_BYTES // 2):
                for piece in _cut(memoryview(chunk), start - position, last - position):
                    yield piece
                position += len(chunk)
                if position >= last < stop:  # the rest of an answer without ranges
                    return
            if position < last:
                raise BlobStoreUnavailable(
                    f"{self._bucket.where} ended an answer at byte {position} of {last}. Retry later."
                )

    async def _get(self, path: str, start: int, end: int | None) -> Any:
        """None where the range starts beyond the object.

        A server that ignores ranges is asked for the whole, here and from then on; the caller cuts.
        """
        whole = start == 0 and end is None
        if not whole and self._takes_ranges:
            wanted: Any = {"offset": start} if end is None else (start, end)
            try:
                return await obstore.get_async(self._bucket.store, path, options={"range": wanted})
            except Exception as error:
                if errors.is_beyond(error):
                    return None
                if not errors.is_without_ranges(error):
                    raise
                self._takes_ranges = False
                logger.warning(
                    "%s ignores ranges: a download that starts late reads the blob from its start", self._bucket.where
                )
        return await obstore.get_async(self._bucket.store, path)


def _pause(failures: int) -> float:
    """Full jitter: clients of one restart do not retry at the same time."""
    return random.uniform(0, min(5.0, limits.S3_RETRY_PAUSE_SECONDS * 2**failures))  # noqa: S311 - no secret


def _cut(chunk: memoryview, start: int, stop: int) -> Iterator[bytes]:
    """What of the chunk lies between two of its own offsets, in pieces."""
    wanted = chunk[max(0, start) : max(0, stop)]
    for offset in range(0, len(wanted), limits.BLOB_PIECE_BYTES):
        yield bytes(wanted[offset : offset + limits.BLOB_PIECE_BYTES])
