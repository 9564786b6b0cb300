"""Files as the routes use them that move bytes: what begins, becomes of, and ends an upload; what may be read."""

import asyncio
import contextlib
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from actors import limits
from actors.auth.identity import Identity, Origin
from actors.blobs import BlobError, BlobMissing, BlobStore, BlobStoreError
from actors.commands import IfVersion, Once
from actors.errors import (
    Forbidden,
    NotFound,
    PreconditionFailed,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
    XpError,
)
from actors.identifiers import new_id
from actors.ports import Write
from actors.queries import Reads
from actors.resources.audit import NoteForAudit
from actors.resources.files.blobs import NoteBlobs
from actors.resources.files.file import NO_QUOTAS, File, Quotas
from actors.resources.files.queries import GetFile, GetFileVersion, GetStorageUse
from actors.resources.files.rules import unreadable
from actors.resources.files.uploads import (
    AbandonUpload,
    BeginUpload,
    CompleteUpload,
    GetUpload,
    NoteUpload,
    SetUploadLength,
    Upload,
    UploadKind,
)
from actors.resources.users import GetUser
from server.files.archives.inspector import ArchiveInspector
from server.files.content import Content, unreadable_version
from server.files.downloads.url_keys import UrlKeyFiles
from server.files.file_rules import FileRules
from server.files.types.media_types import Sniffed, sniff
from server.files.uploads.upload_locks import UploadLocks

logger = logging.getLogger("server.files")

REFUSED_FOR_GOOD: Final = (UnsupportedMedia, TooLarge, NotFound, Forbidden, PreconditionFailed)
"""Why an upload ends when it is complete: its content is not taken, rights have ended, or another version came first.
After other refusals it may be completed later."""


class CompleteBytes(Protocol):
    """A finished local file: durable, and nobody writes to it."""

    @property
    def path(self) -> Path: ...
    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...


class Lately:
    """What was seen among the newest so many."""

    def __init__(self, most: int) -> None:
        self._seen: OrderedDict[object, None] = OrderedDict()
        self._most = most

    def is_new(self, what: object) -> bool:
        if what in self._seen:
            return False
        self._seen[what] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return True


@dataclass(slots=True)
class Library:
    blobs: BlobStore
    folder: Path
    """Of uploads that are not complete."""
    reads: Reads
    write: Write
    rules: FileRules = field(default_factory=FileRules)
    redirect_seconds: int | None = None
    """Readers are sent to the store's own signed URLs, which are good for so long; None: bytes come from here."""
    on_version: Callable[[], None] = lambda: None
    """There is a version to be scanned or shown."""
    locks: UploadLocks = field(default_factory=UploadLocks)
    archives: ArchiveInspector = field(default_factory=ArchiveInspector)
    store_failure: str | None = None
    """Why the store could not be used when it was looked at last."""
    scans: Counter[str] = field(default_factory=Counter)
    previews: Counter[str] = field(default_factory=Counter)
    """What became of versions, counted since the start."""
    _refused: "Lately" = field(default_factory=lambda: Lately(limits.REFUSED_FILES_REMEMBERED))
    _completing: dict[str, "asyncio.Task[File]"] = field(default_factory=dict)

    url_keys: UrlKeyFiles = field(init=False)
    """Sign URLs; in the data folder, beside the uploads."""

    def __post_init__(self) -> None:
        self.url_keys = UrlKeyFiles(self.folder.parent)

    async def close(self) -> None:
        await self.archives.close()
        await self.blobs.close()

    @property
    def limit(self) -> int:
        return self.rules.limit

    @property
    def quotas(self) -> Quotas:
        return self.rules.quotas

    async def begin(
        self, identity: Identity, *, kind: UploadKind, name: str | None = None, media_type: str | None = None,
        length: int | None = None, thread_id: str | None = None, metadata: str = "{}", file_id: str | None = None,
        once: Once | None = None, if_version: IfVersion = None,
    ) -> Upload:  # fmt: skip
        """For a new file (`name`), or a new version of `file_id`.

        Raises `NotFound`, `Forbidden`, `Conflict`, `TooLarge`, `QuotaExceeded`.
        """
        if length is not None and length > self.limit:
            raise TooLarge("A file", self.limit, length)
        command = BeginUpload(
            identity=identity, once=once, upload_id=new_id(), kind=kind, length=length, file_id=file_id,
            new_file_id=new_id(), name=name, media_type=media_type, thread_id=thread_id, metadata=metadata,
            expires_at=time.time_ns() // 1_000_000 + limits.UPLOAD_SECONDS * 1000, if_version=if_version,
        )  # fmt: skip
        return (await self.write(command)).result

    async def own_upload(self, identity: Identity, upload_id: str) -> Upload:
        """One of the caller's own that has not expired; raises `NotFound`."""
        upload = await self.reads.ask(GetUpload(identity, upload_id))
        if upload.expires_at < time.time_ns() // 1_000_000:
            raise NotFound("upload", upload_id)
        return upload

    async def upload(self, identity: Identity, upload_id: str) -> Upload:
        """The same; rights to its file are asked again."""
        upload = await self.own_upload(identity, upload_id)
        await self.reads.ask(GetFile(identity, upload.file_id))
        return upload

    async def set_length(self, identity: Identity, upload: Upload, length: int) -> Upload:
        """Raises `NotFound`, `Forbidden`, `Conflict`, `QuotaExceeded`."""
        command = SetUploadLength(identity=identity, upload_id=upload.id, length=length)
        return (await self.write(command)).result

    async def complete(
        self, identity: Identity, upload: Upload, staged: CompleteBytes, over: int | None = None
    ) -> File:
        """The bytes become the file's newest version; the staged file is gone then. `over`: the version that it must
        follow.

        Once it began it goes on, also where its request ends: so a second call waits for the first one's result.
        Raises `UnsupportedMedia` for what is not taken here, `PreconditionFailed`, `Conflict`, `QuotaExceeded`,
        `Unavailable`.
        """
        running = self._completing.get(upload.id)
        if running is None:
            running = asyncio.get_running_loop().create_task(self._complete(identity, upload, staged, over))
            self._completing[upload.id] = running
            running.add_done_callback(lambda _: self._completing.pop(upload.id, None))
        return await asyncio.shield(running)

    async def _complete(self, identity: Identity, upload: Upload, staged: CompleteBytes, over: int | None) -> File:
        if staged.size > self.limit:
            raise TooLarge("A file", self.limit, staged.size)
        found = await asyncio.to_thread(sniff, staged.path, upload.name, upload.declared_type)
        self.rules.must_allow(found, upload.name)
        await self.archives.must_be_harmless(staged.path)
        file = await self._store(identity, upload, staged, found, over)
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(staged.path.unlink)
        self.on_version()
        return file

    async def _store(
        self, identity: Identity, upload: Upload, staged: CompleteBytes, found: Sniffed, over: int | None
    ) -> File:
        """Bytes first, then the row: so no row names bytes that are not there. They are noted before they are put: so
        none are there of which the database does not know, and what is refused is not put."""
        command = CompleteUpload(
            identity=identity, upload_id=upload.id, digest=staged.sha256, size=staged.size,
            media_type=found.media_type, trusted=found.trusted, charset=found.charset,
            scan="due" if self.rules.scans else "skipped", preview="due" if self.rules.previews else "none",
            over=over,
        )  # fmt: skip
        await self.note(
            NoteUpload(identity=identity, upload_id=upload.id, digest=staged.sha256, size=staged.size, over=over)
        )
        await self._put(staged)
        return (await self.write(command)).result

    async def note(self, command: NoteUpload | NoteBlobs) -> None:
        """Bytes that are being deleted because nothing names them are waited for: put now, they would be deleted,
        too."""
        for attempt in range(limits.BLOB_TRIES):
            try:
                await self.write(command)
            except Unavailable as error:
                if error.code != "blob_going" or attempt + 1 == limits.BLOB_TRIES:
                    raise
            else:
                return
            await asyncio.sleep(limits.BLOB_GOING_SECONDS)

    async def _put(self, staged: CompleteBytes) -> None:
        try:
            await self.blobs.put(staged.path, staged.sha256, staged.size)
        except BlobError as error:
            raise blob_refusal(error) from error

    async def abandon(self, identity: Identity, upload: Upload) -> None:
        """Nothing of it is left, in the store either."""
        with contextlib.suppress(XpError):  # it ends by itself when its time is over
            await self.write(AbandonUpload(identity=identity, upload_id=upload.id))
        await self.forget_bytes(upload)

    async def forget_bytes(self, upload: Upload) -> None:
        """What a store keeps of them now goes when it is old (`Keeper`)."""
        await asyncio.to_thread((self.folder / upload.id).unlink, missing_ok=True)
        if upload.kind == "direct":
            with contextlib.suppress(BlobError):
                await self.blobs.delete_incoming(upload.id)

    async def left(self, identity: Identity, thread_id: str | None = None) -> int | None:
        """Bytes that fit under the narrowest quota; None where none is set."""
        quotas = self.quotas
        if quotas == NO_QUOTAS:
            return None
        used = await self.reads.ask(GetStorageUse(identity, thread_id))
        most = {"user": quotas.user, "thread": quotas.thread, "server": quotas.server}
        room = [limit - used[scope] for scope, limit in most.items() if limit is not None and scope in used]
        return max(0, min(room)) if room else None

    async def readable(
        self, identity: Identity, file_id: str, version: int | None = None, preview: str | None = None,
        origin: Origin | None = None,
    ) -> Content:  # fmt: skip
        """What the identity may read now. Raises `NotFound`, `FileNotReady`, `FileQuarantined`.

        With an `origin`, a refusal goes into the audit log.
        """
        try:
            content = await self._content(identity, file_id, version)
        except (NotFound, Forbidden) as refusal:
            if origin is not None:
                await self._note_refusal(identity, file_id, refusal, origin)
            raise
        if preview is None:
            return content
        shown = next((each for each in content.version.previews if each.name == preview), None)
        if shown is None:
            have = ", ".join(each.name for each in content.version.previews) or "none yet"
            raise NotFound(f"preview ({have}) of this version by the name", preview)
        return Content(content.file, content.version, shown)

    async def _content(self, identity: Identity, file_id: str, number: int | None) -> Content:
        if number is None:
            file = await self.reads.ask(GetFile(identity, file_id))
            if (refusal := unreadable(file)) is not None:
                raise refusal
            assert file.version is not None
            return Content(file, file.version)
        file, version = await self.reads.ask(GetFileVersion(identity, file_id, number))
        refused = unreadable_version(version, closed=self.rules.scans)
        if refused is not None:
            raise refused
        return Content(file, version)

    async def _note_refusal(self, identity: Identity, file_id: str, refusal: XpError, origin: Origin) -> None:
        """The first of a user for a file in a while: who asks again and again fills no log."""
        if not self._refused.is_new((identity.user.key, file_id)):
            return
        note = NoteForAudit(
            action="read_file", origin=origin, actor_id=identity.user.id, credential=identity.credential,
            target_kind="file", target_id=file_id, outcome="refused", reason=refusal.detail,
        )  # fmt: skip
        with contextlib.suppress(XpError):
            await self.write(note)

    async def as_user(self, user_id: str) -> Identity:
        """Whose rights a signed URL has; they are the present ones. Raises `Forbidden`."""
        user = await self.reads.ask(GetUser(user_id))
        if user.status != "ACTIVE":
            raise Forbidden("The user who made this URL is not active.")
        return Identity(user, user.author, 2**40)


def blob_refusal(error: BlobError) -> XpError:
    """The answer to a client; an operator finds the sentence itself in the log."""
    if isinstance(error, BlobMissing):
        return NotFound("content")
    logger.error("the blob store failed: %s", error)
    if isinstance(error, BlobStoreError):
        return Unavailable("The store of files does not take or give content right now; retry.", code="blob_store")
    return Unavailable("The content is damaged; an operator has been notified.", code="blob_store")
