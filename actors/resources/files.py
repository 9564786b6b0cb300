"""Files: what people and agents exchange beside messages. The record, what can be asked of it, and its rules. Pure.

A file is a name for bytes. Its bytes come in versions; each names a blob by the SHA-256 of its content, and files with
the same content share one. A file in a thread is seen by those who see the thread; a file outside any, by its owner.

    pending ──bytes──▶ scanning ──clean──▶ ready        without a scanner: pending ──bytes──▶ ready
                          └──found──▶ quarantined       failed: the upload ended without its bytes
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from actors.auth.identity import Identity
from actors.commands import UNSET, Command, IfVersion, Unset
from actors.errors import Conflict, FileNotReady, FileQuarantined, Forbidden, NotFound, XpError
from actors.events import EphemeralKind, EventKind
from actors.page import Page
from actors.queries import IdentityQuery, Owner, Query
from actors.resources.members import MemberRole
from actors.resources.users import Author

FileStatus = Literal["pending", "scanning", "ready", "quarantined", "failed", "deleted"]
FILE_STATUSES: Final[tuple[FileStatus, ...]] = ("pending", "scanning", "ready", "quarantined", "failed", "deleted")
Scan = Literal["due", "clean", "found", "skipped"]
SCANS: Final[tuple[Scan, ...]] = ("due", "clean", "found", "skipped")
"""Of a version: waits for the scanner; nothing found; something found; taken without a look."""
PreviewState = Literal["due", "done", "failed", "none"]
PREVIEW_STATES: Final[tuple[PreviewState, ...]] = ("due", "done", "failed", "none")
UploadKind = Literal["plain", "resumable", "direct"]
UPLOAD_KINDS: Final[tuple[UploadKind, ...]] = ("plain", "resumable", "direct")
"""In one request; in pieces, by tus; by a signed URL, straight to the store."""


@dataclass(frozen=True, slots=True)
class FilePreview:
    """A picture or an extract of a version, made by the server."""

    name: str
    """`small`, `medium`, `large`, `page-1`, `table`, `text`, `poster` …"""
    media_type: str
    digest: str
    size: int
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class FileVersion:
    number: int
    """1, 2, 3, … of its file."""
    digest: str
    """SHA-256 of the content, 64 hexadecimal digits; the name of the blob."""
    size: int
    media_type: str
    author: Author
    created_at: int
    scan: Scan
    preview: PreviewState
    trusted: bool = False
    """The content has one reading, which neither the name nor the declared type contradicts: a browser may show it."""
    charset: str | None = None
    """Of text."""
    details: str = "{}"
    """JSON object: width, height, pages, duration in seconds … as far as they are known."""
    placeholder: str | None = None
    """A blurhash or a colour, to be shown before the picture is there."""
    previews: tuple[FilePreview, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    key: int
    id: str
    owner: Author
    thread_id: str | None
    name: str
    declared_type: str | None
    """What the uploader said; for pending files, and to be held against what is found."""
    status: FileStatus
    reason: str | None
    """Why it is quarantined or failed, a sentence."""
    metadata: str
    """JSON object."""
    version: FileVersion | None
    """The newest; None before the first bytes are there."""
    revision: int
    """Of the record, for its ETag."""
    created_at: int
    updated_at: int
    deleted_at: int | None = None


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


@dataclass(frozen=True, slots=True)
class FileTotals:
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Which files; None: whichever."""

    thread_id: str | None = None
    owner_id: str | None = None
    media_type: str | None = None
    """`image/png`, or `image/*`."""
    status: FileStatus | None = None
    name: str | None = None
    """A part of it, whatever its case."""
    size_from: int | None = None
    size_to: int | None = None
    created_from: int | None = None
    created_to: int | None = None
    text: str | None = None
    """Words of the name and of the text within."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """Bytes at most, all versions counted; None: no limit."""

    user: int | None = None
    thread: int | None = None
    server: int | None = None


NO_QUOTAS: Final = Quotas()


@dataclass(frozen=True, slots=True)
class BlobUse:
    """A blob as the database counts it."""

    digest: str
    size: int
    references: int


@dataclass(frozen=True, slots=True)
class Due:
    """A version that waits for the scanner or for its previews."""

    file_id: str
    number: int
    digest: str
    size: int
    media_type: str
    name: str


# Events


FILE_CREATED: Final = EventKind("file.created", File, "file")
FILE_UPDATED: Final = EventKind("file.updated", File, "file")
"""Its record, its state, or its bytes."""
FILE_ATTACHED: Final = EventKind("file.attached", File, "file")
"""A file from outside has joined the thread."""
FILE_PREVIEW_READY: Final = EventKind("file.preview_ready", File, "file")
FILE_DELETED: Final = EventKind("file.deleted", File, "file")
"""Or it has left the thread; what is told of it is a tombstone."""
UPLOAD_PROGRESS: Final = EphemeralKind("upload.progress", UploadProgress, channel="user")
"""To the devices of who uploads."""
FILE_PROGRESS: Final = EphemeralKind("file.progress", UploadProgress)
"""To a thread in which a message shows the file."""


# Commands


@dataclass(slots=True, kw_only=True)
class CreateFile(Command):
    """A record without bytes. Answers the `File`."""

    file_id: str
    name: str
    thread_id: str | None = None
    media_type: str | None = None
    metadata: str = "{}"


@dataclass(slots=True, kw_only=True)
class UpdateFile(Command):
    """Answers the `File`."""

    file_id: str
    name: str | Unset = UNSET
    metadata: str | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class MoveFile(Command):
    """Into another thread, or out of any. Answers the `File`."""

    file_id: str
    thread_id: str | None


@dataclass(slots=True, kw_only=True)
class DeleteFile(Command):
    """Answers `Gone`. Its blobs go when nothing else names them."""

    file_id: str
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class RestoreVersion(Command):
    """An earlier version's bytes become the newest version. Answers the `File`."""

    file_id: str
    number: int
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class BeginUpload(Command):
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
class SetUploadLength(Command):
    """Of an upload that began without one; reserves its room. Answers the `Upload`."""

    upload_id: str
    length: int


@dataclass(slots=True, kw_only=True)
class CompleteUpload(Command):
    """The bytes are in the store: they become the file's newest version. Answers the `File`; again, the same."""

    upload_id: str
    digest: str
    size: int
    media_type: str
    trusted: bool
    charset: str | None
    scan: Scan
    preview: PreviewState


@dataclass(slots=True, kw_only=True)
class AbandonUpload(Command):
    """Its room is free again; a file that has no bytes yet has failed. Answers None."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class ExpireUploads:
    """Of those past their time, `rows` at most; answers the ids of those that ended."""

    rows: int = 100


@dataclass(frozen=True, slots=True)
class EndForms:
    """When a server starts: uploads by forms that the server before was taking in, `rows` at most. What has come of a
    form is of no use to the request that sends it again. Answers the ids of those that ended."""

    rows: int = 100


@dataclass(frozen=True, slots=True)
class RecordScan:
    """What the scanner said of a version. Answers the `File`, or None where it has gone."""

    file_id: str
    number: int
    verdict: Scan
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecordPreview:
    """What was made of a version. Answers the `File`, or None where it has gone."""

    file_id: str
    number: int
    state: PreviewState
    previews: tuple[FilePreview, ...] = ()
    details: str = "{}"
    placeholder: str | None = None
    text: str | None = None
    """Of its content, for search."""


@dataclass(frozen=True, slots=True)
class RescanFiles:
    """Have the scanner look again at the versions of one file, or of `rows` files past the key `after`. The newest
    version can be had until a verdict says otherwise; older ones wait for it. Answers `Rescanned`."""

    file_id: str | None = None
    after: int = 0
    quarantined: bool = False
    """Also what is in quarantine."""
    rows: int = 500


@dataclass(frozen=True, slots=True)
class Rescanned:
    versions: int
    next: int | None
    """Key after which the next step starts; None at the end."""


@dataclass(frozen=True, slots=True)
class NoteBlob:
    """It is in the store, and the file that it came for is none: it goes as others that nothing names. Answers None."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class TakeBlobs:
    """Mark up to `rows` blobs that nothing has named since `before` (milliseconds); answers their digests. They are
    then deleted from the store, and `ForgetBlobs` follows. Also answers those marked before."""

    before: int
    rows: int = 100


@dataclass(frozen=True, slots=True)
class ForgetBlobs:
    """These are deleted from the store; answers how many."""

    digests: tuple[str, ...]


# Rules


def must_see_file(identity: Identity, owner_key: int, in_thread: bool, role: MemberRole | None, file_id: str) -> None:
    """`role`: of the caller in the file's thread. Raises `NotFound`."""
    allowed = role is not None if in_thread else owner_key == identity.user.key
    if not (allowed or identity.is_admin):
        raise NotFound("file", file_id)


def must_change_file(identity: Identity, owner_key: int, in_thread: bool, role: MemberRole | None) -> None:
    """Its owner changes a file, as long as they may write in its thread; the thread's owners may, too."""
    if identity.is_admin:
        return
    if owner_key == identity.user.key and (not in_thread or role in ("OWNER", "MEMBER")):
        return
    if in_thread and role == "OWNER":
        return
    raise Forbidden("Only its owner and the thread's owners may change a file, and only if they may write there.")


def unreadable(file: File) -> XpError | None:
    """Why the content of a file cannot be had now; None where it can."""
    match file.status:
        case "ready":
            return None
        case "pending":
            return FileNotReady("The file's bytes have not arrived yet; try again when it is `ready`.")
        case "scanning":
            return FileNotReady("The file is being scanned; try again when it is `ready`.")
        case "quarantined":
            return FileQuarantined(f"The file is in quarantine: {file.reason or 'the scanner found something in it'}.")
        case "failed":
            return Conflict(f"The upload failed: {file.reason or 'its bytes did not arrive'}. Upload it again.",
                            code="file_failed")  # fmt: skip
        case "deleted":
            return NotFound("file", file.id)


# Queries


@dataclass(frozen=True, slots=True)
class GetFile(IdentityQuery[File]):
    file_id: str


@dataclass(frozen=True, slots=True)
class GetFileVersion(IdentityQuery[tuple[File, FileVersion]]):
    file_id: str
    number: int


@dataclass(frozen=True, slots=True)
class ListFileVersions(IdentityQuery[Page[FileVersion]]):
    """The newest first."""

    file_id: str
    limit: int = field(kw_only=True)
    before: int | None = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class ListFiles(IdentityQuery[Page[File]]):
    """The newest first."""

    wanted: FileFilter
    limit: int = field(kw_only=True)
    before: int | None = field(kw_only=True)
    everything: bool = field(kw_only=True, default=False)
    """For administrators: also what others have outside of threads, and threads that they are not in."""


@dataclass(frozen=True, slots=True)
class OwnedFile:
    """Of an export."""

    file: File
    is_seen: bool
    """Whether its owner may read it now: in a thread that they have left they may not."""


@dataclass(frozen=True, slots=True)
class ListFilesOf(Query[Page[OwnedFile]]):
    """All files of a user, the oldest first, also in threads that they have left."""

    user_id: str
    limit: int = field(kw_only=True)
    after: int | None = field(kw_only=True)

    @property
    def owner(self) -> Owner:
        return self.user_id


@dataclass(frozen=True, slots=True)
class CountFiles(IdentityQuery[FileTotals]):
    wanted: FileFilter
    everything: bool = field(kw_only=True, default=False)


@dataclass(frozen=True, slots=True)
class GetStorageUse(IdentityQuery[dict[str, int]]):
    """Bytes used, by `user`, `server` and, where one is named, `thread`."""

    thread_id: str | None = None


@dataclass(frozen=True, slots=True)
class GetUpload(IdentityQuery[Upload]):
    """Of the caller's own."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class FindPlainUpload(IdentityQuery[Upload | None]):
    """The caller's newest one for a file that is not complete; None where there is none."""

    file_id: str


@dataclass(frozen=True, slots=True)
class FindShowingThread(Query[str | None]):
    """The file's thread, where a message in it shows the file."""

    file_id: str


@dataclass(frozen=True, slots=True)
class ListDueScans(Query[tuple[Due, ...]]):
    limit: int


@dataclass(frozen=True, slots=True)
class ListDuePreviews(Query[tuple[Due, ...]]):
    limit: int


@dataclass(frozen=True, slots=True)
class ListBlobs(Query[tuple[BlobUse, ...]]):
    """In the order of their digests."""

    after: str
    limit: int
    unreferenced: bool = False


@dataclass(frozen=True, slots=True)
class CountBlobs(Query[tuple[int, int]]):
    """How many, and their bytes."""
