"""The blob store: bytes under the sha256 of what they are, in a folder or in S3. `storage/blobs/` implements it.

BlobError                       base: a sentence, and whether to retry
├── BlobMissing                 no blob has this digest, no upload this key
├── BlobTooLarge                an upload has more bytes than allowed
├── BlobDamaged                 the bytes are not those that the digest names
└── BlobStoreError              the store itself; its sentence is for operators
    ├── BlobStoreUnavailable    not reached, too slow, or failing: retry
    ├── BlobStoreRefused        wrong keys, no such bucket, no permission: retrying does not help
    └── BlobStoreFull           no space left: retry once there is some
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol


class BlobError(Exception):
    """Base of the tree; the text says what was expected, what came, and what to do."""

    retryable: ClassVar[bool] = False


class BlobMissing(BlobError):
    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"There is no {what} {name} in the blob store; retrying does not help.")


class BlobTooLarge(BlobError):
    def __init__(self, limit: int) -> None:
        super().__init__(f"The upload may have at most {limit} bytes; it has more. Upload a smaller file.")
        self.limit = limit


class BlobDamaged(BlobError):
    def __init__(self, digest: str, found: str) -> None:
        super().__init__(f"Expected bytes with the sha256 {digest}; found {found}. Restore the blob from a backup.")
        self.digest = digest


class BlobStoreError(BlobError):
    pass


class BlobStoreUnavailable(BlobStoreError):
    retryable = True


class BlobStoreRefused(BlobStoreError):
    pass


class BlobStoreFull(BlobStoreError):
    retryable = True


@dataclass(frozen=True, slots=True)
class BlobInfo:
    digest: str
    size: int
    modified: float
    """Seconds since the epoch: when the blob was stored last."""


@dataclass(frozen=True, slots=True)
class IncomingInfo:
    key: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class StagedBlob:
    """A finished local file that `put` takes; its owner removes it."""

    path: Path
    digest: str
    size: int


class BlobSource(Protocol):
    """What a blob is read from."""

    def open(self, digest: str) -> AsyncGenerator[bytes, None]: ...


class BlobCopies(BlobSource, Protocol):
    """What copies of blobs are put into, and brought back from: a part of a `BlobStore`."""

    async def size(self, digest: str) -> int | None: ...

    async def put(self, path: Path, digest: str, size: int) -> None: ...

    def local_path(self, digest: str) -> Path | None: ...

    async def close(self) -> None: ...


class BlobStore(Protocol):
    """Digests are sha256 in lower-case hex; keys of uploads are 1–128 letters, digits, `-` and `_`. Others raise
    `ValueError`. Every coroutine may raise the `BlobStoreError`s. The store knows nothing of files or references:
    delete a blob only when nothing names it, and when its `modified` is older than an upload can take."""

    async def put(self, path: Path, digest: str, size: int) -> None:
        """Store a finished local file, durably, before this returns; the caller has computed digest and size.

        A folder takes the file itself by a rename, S3 a copy: afterwards the path may be gone. Storing what is there
        already is no error, and makes its `modified` recent. Raises `BlobMissing` where neither the file nor the blob
        is there, `BlobDamaged` where the file has another size.
        """
        ...

    def open(self, digest: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` to `end` (exclusive; None: all), in pieces of at most `limits.BLOB_PIECE_BYTES`.

        What lies beyond the blob is left out. The first piece raises `BlobMissing`. Use `contextlib.aclosing`: an early
        stop then ends the request to the store at once.
        """
        ...

    def local_path(self, digest: str) -> Path | None:
        """Where the file of this blob is or would be, for zero-copy; None where bytes come over the network."""
        ...

    async def size(self, digest: str) -> int | None:
        """In bytes; None where there is no such blob."""
        ...

    async def delete(self, digest: str) -> None:
        """A missing blob is no error."""
        ...

    def list(self) -> AsyncGenerator[BlobInfo, None]:
        """Every blob, in order of digest; those stored meanwhile may be left out."""
        ...

    async def signed_get(self, digest: str, seconds: int, *, media_type: str, disposition: str) -> str | None:
        """A URL that answers the blob with these headers to anyone, for so long (at most 7 days).

        None where the store cannot sign: then the server sends the bytes itself.
        """
        ...

    async def signed_put(self, key: str, seconds: int, *, size: int) -> str | None:
        """A URL that takes one PUT of exactly `size` bytes as the upload `key`; None: see `incoming_path`."""
        ...

    def incoming_path(self, key: str) -> Path | None:
        """Where the server itself writes a direct upload; None where clients upload by `signed_put`."""
        ...

    async def adopt(self, key: str, into: Path, *, most: int) -> StagedBlob:
        """Make the upload `key` a local file at `into` and compute its digest; the upload itself stays or is moved.

        What counts is the local file: a holder of the signed URL may replace the upload meanwhile. Raises
        `BlobMissing`, which leaves `into` as it is, and `BlobTooLarge` beyond `most` bytes, which leaves nothing there.
        """
        ...

    async def delete_incoming(self, key: str) -> None:
        """A missing upload is no error."""
        ...

    def list_incoming(self) -> AsyncGenerator[IncomingInfo, None]: ...

    async def check(self) -> None:
        """Write, read and delete a small probe; raises the `BlobStoreError` that an upload would meet."""
        ...

    async def close(self) -> None: ...
