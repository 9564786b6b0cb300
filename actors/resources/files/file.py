"""Files: what people and agents exchange beside messages. The record, its versions and previews, its events. Pure.

A file is a name for bytes. Its bytes come in versions; each names a blob by the SHA-256 of its content, and files with
the same content share one. A file in a thread is seen by those who see the thread; a file outside any, by its owner.

    pending ──bytes──▶ scanning ──clean──▶ ready        without a scanner: pending ──bytes──▶ ready
                          └──found──▶ quarantined       failed: the upload ended without its bytes
"""

from dataclasses import dataclass
from typing import Final, Literal

from actors.events import EventKind
from actors.resources.users import Author

FileStatus = Literal["pending", "scanning", "ready", "quarantined", "failed", "deleted"]
FILE_STATUSES: Final[tuple[FileStatus, ...]] = ("pending", "scanning", "ready", "quarantined", "failed", "deleted")
Scan = Literal["due", "clean", "found", "skipped"]
SCANS: Final[tuple[Scan, ...]] = ("due", "clean", "found", "skipped")
"""Of a version: waits for the scanner; nothing found; something found; taken without a look."""
PreviewState = Literal["due", "done", "failed", "none"]
PREVIEW_STATES: Final[tuple[PreviewState, ...]] = ("due", "done", "failed", "none")


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
FILE_CREATED: Final = EventKind("file.created", File, "file")
FILE_UPDATED: Final = EventKind("file.updated", File, "file")
"""Its record, its state, or its bytes."""
FILE_ATTACHED: Final = EventKind("file.attached", File, "file")
"""A file from outside has joined the thread."""
FILE_PREVIEW_READY: Final = EventKind("file.preview_ready", File, "file")
FILE_DELETED: Final = EventKind("file.deleted", File, "file")
"""Or it has left the thread; its events are tombstones."""
