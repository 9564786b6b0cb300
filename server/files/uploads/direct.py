"""Direct uploads: a signed URL takes the bytes, the store's own where it has such; completing checks and keeps them.

begin ──▶ URL ──PUT──▶ incoming bytes ──complete──▶ a local file: size, hash, type, archive ──▶ the newest version
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from actors import limits
from actors.auth.identity import Identity
from actors.blobs import BlobError, BlobMissing, BlobTooLarge, StagedBlob
from actors.commands import Once
from actors.errors import Conflict, NotFound, Unavailable, UploadBusy, ValidationFailed
from actors.resources.files.file import File
from actors.resources.files.queries import GetFile
from actors.resources.files.uploads import Upload
from actors.runtime.unbroken import unbroken
from server.files.library import REFUSED_FOR_GOOD, Library, blob_refusal
from server.files.uploads.staging import StagedFile


@dataclass(frozen=True, slots=True)
class DirectUpload:
    upload: Upload
    url: str
    """Of the store; or path and query on this server."""
    url_expires_at: int
    """Milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class _Bytes:
    """What came, as a local file that nobody writes to."""

    path: Path
    size: int
    sha256: str


def path_of(upload_id: str) -> str:
    return f"/api/v1/files/uploads/{upload_id}/bytes"


Reached = Callable[[Identity, Upload, int], None]
"""Whose upload it is, and how many of its bytes are there."""


class DirectUploads:
    def __init__(self, library: Library, reached: Reached = lambda *_: None) -> None:
        """`reached`: called where an upload begins, and where all of its bytes are known to be there. What a store
        takes in between it tells nobody."""
        self._library = library
        self._reached = reached

    async def begin(
        self, identity: Identity, file_id: str, size: int, *, media_type: str | None = None, once: Once | None = None
    ) -> DirectUpload:
        """For a new version of a file. Raises what `Library.begin` does, and `Unavailable`."""
        upload = await self._library.begin(
            identity, kind="direct", length=size, file_id=file_id, media_type=media_type, once=once
        )
        expires_at = int(time.time()) + limits.DIRECT_URL_SECONDS
        try:
            url = await self._library.blobs.signed_put(upload.id, limits.DIRECT_URL_SECONDS, size=size)
        except BlobError as error:
            raise blob_refusal(error) from error
        if url is None:
            keys = self._library.url_keys.keys
            url = keys.sign("PUT", path_of(upload.id), identity.user.id, expires_at, identity.api_key_id)
        self._reached(identity, upload, 0)
        return DirectUpload(upload, url, expires_at * 1000)

    def place(self, upload: Upload) -> Path:
        """Where the bytes go that come to this server."""
        incoming = self._library.blobs.incoming_path(upload.id)
        return incoming if incoming is not None else self._staged(upload)

    def _staged(self, upload: Upload) -> Path:
        return self._library.folder / upload.id

    async def complete(self, identity: Identity, file_id: str, upload_id: str, sha256: str) -> File:
        """The file with its newest version; a second time, the same. Where the caller's rights have ended, or the
        content is refused, nothing of the upload is left; where other bytes came than announced, they may be sent
        again.

        Raises `NotFound`, `Forbidden`, `Conflict`, `ValidationFailed`, `UnsupportedMedia`, `QuotaExceeded`,
        `Unavailable`.
        """
        upload = await self._library.own_upload(identity, upload_id)
        if upload.file_id != file_id:
            raise NotFound("upload", upload_id)
        if upload.kind != "direct":
            raise Conflict("This upload is no direct one: its last byte completes it.")
        return await unbroken(self._complete_alone(identity, upload_id, sha256))

    async def _complete_alone(self, identity: Identity, upload_id: str, sha256: str) -> File:
        try:
            async with self._library.locks.hold(upload_id):
                return await self._complete(identity, upload_id, sha256)
        except UploadBusy as busy:
            raise Unavailable(busy.detail) from busy

    async def _complete(self, identity: Identity, upload_id: str, sha256: str) -> File:
        upload = await self._library.own_upload(identity, upload_id)  # another request may have completed it meanwhile
        try:
            file = await self._library.reads.ask(GetFile(identity, upload.file_id))
            if upload.completed_as is not None:
                return file
            came = await self._checked(upload, sha256)
            self._reached(identity, upload, came.size)
            found = await self._library.complete(identity, upload, came)
        except REFUSED_FOR_GOOD:
            await self._library.abandon(identity, upload)
            raise
        await self._library.forget_bytes(upload)
        return found

    async def _checked(self, upload: Upload, sha256: str) -> _Bytes:
        came = await self._adopted(upload)
        if came.size == upload.length and came.sha256 == sha256:
            return came
        await self._library.forget_bytes(upload)
        if came.size != upload.length:
            raise Conflict(
                f"The upload was begun for {upload.length} bytes, and {came.size} came. Nothing of them was kept; send "
                "them again.",
                code="wrong_length",
            )
        sentence = f"names other bytes than those that came: they have {came.sha256}. Nothing of them was kept."
        raise ValidationFailed({"sha256": [sentence]})

    async def _adopted(self, upload: Upload) -> _Bytes:
        """What the store has of it; or what was taken from there before the server was ended, or came here."""
        path = self._staged(upload)
        try:
            taken: StagedBlob = await self._library.blobs.adopt(upload.id, path, most=upload.length or 0)
        except BlobTooLarge:
            await self._library.forget_bytes(upload)
            raise Conflict(
                f"The upload was begun for {upload.length} bytes, and more came. Nothing of them was kept; send them "
                "again.",
                code="wrong_length",
            ) from None
        except BlobMissing:
            return await asyncio.to_thread(_there, path)
        except BlobError as error:
            raise blob_refusal(error) from error
        return _Bytes(taken.path, taken.size, taken.digest)


def _there(path: Path) -> _Bytes:
    if not path.exists():
        raise Conflict("No bytes have come for this upload; send them to its URL, then complete it.", code="no_bytes")
    file = StagedFile(path)
    try:
        return _Bytes(path, file.size, file.hash.hexdigest())
    finally:
        file.close()
