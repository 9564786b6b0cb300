"""Uploads: how the bytes of a file come, and how far they are."""

from dataclasses import dataclass
from typing import Final, Literal

from actors.commands import Command, IfVersion, Makes
from actors.events import EphemeralKind
from actors.queries import IdentityQuery
from actors.resources.files.file import File, PreviewState, Scan

UploadKind = Literal["plain", "resumable", "direct"]
UPLOAD_KINDS: Final[tuple[UploadKind, ...]] = ("plain", "resumable", "direct")
"""In one request; in pieces, by tus; by a signed URL, straight to the store."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes on their way into a file. It lasts until they are complete, it is abandoned, or it expires."""

    id: str
    file_id: str
    owner_key: int
    kind: UploadKind
    length: int | None
    """Bytes in all, where they are known."""
    declared_type: str | None
    name: str
    created_at: int
    expires_at: int
    """Milliseconds since 1970."""
    completed_as: int | None = None
    """The version that it became."""


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """How far an upload is, while its bytes come."""

    upload_id: str
    file_id: str
    received: int
    """Bytes."""
    size: int | None
    """In all, where that is known."""


UPLOAD_PROGRESS: Final = EphemeralKind("upload.progress", UploadProgress, channel="user")
"""To the devices of the uploading user."""
FILE_PROGRESS: Final = EphemeralKind("file.progress", UploadProgress)
"""To a thread in which a message shows the file."""


@dataclass(slots=True, kw_only=True)
class BeginUpload(Command[Upload]):
    """Bytes for a new file, or a new version of `file_id`. Reserves their room. Answers the `Upload`."""

    upload_id: str
    kind: UploadKind
    expires_at: int
    length: int | None = None
    file_id: str | None = None
    new_file_id: str
    name: str | None = None
    """Of a new file."""
    media_type: str | None = None
    thread_id: str | None = None
    metadata: str = "{}"
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class SetUploadLength(Command[Upload]):
    """Of an upload that began without one; reserves its room. Answers the `Upload`."""

    upload_id: str
    length: int


@dataclass(slots=True, kw_only=True)
class NoteUpload(Command[None]):
    """Before its bytes are put into the store: asks what `CompleteUpload` will ask, and notes them as `NoteBlobs` does.
    Answers None."""

    upload_id: str
    digest: str
    size: int
    over: int | None = None
    """The version that it must follow; None: whichever is the newest."""


@dataclass(slots=True, kw_only=True)
class CompleteUpload(Command[File]):
    """The bytes are in the store: they become the file's newest version. Answers the `File`; again, the same."""

    upload_id: str
    digest: str
    size: int
    media_type: str
    trusted: bool
    charset: str | None
    scan: Scan
    preview: PreviewState
    over: int | None = None
    """As in `NoteUpload`."""


@dataclass(slots=True, kw_only=True)
class AbandonUpload(Command[None]):
    """Its room is free again; a file that has no bytes yet has failed. Answers None."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class ExpireUploads(Makes[tuple[str, ...]]):
    """Of those past their time, `rows` at most; answers the ids of those that ended."""

    rows: int = 100


@dataclass(frozen=True, slots=True)
class EndForms(Makes[tuple[str, ...]]):
    """When a server starts: uploads by forms that the server before was taking in, `rows` at most. What has come of a
    form is of no use to the request that sends it again. Answers the ids of those that ended."""

    rows: int = 100


@dataclass(frozen=True, slots=True)
class GetUpload(IdentityQuery[Upload]):
    """Of the caller's own."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class FindPlainUpload(IdentityQuery[Upload | None]):
    """The caller's newest one for a file that is not complete; None where there is none."""

    file_id: str
