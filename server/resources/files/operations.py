"""Files: their records. The bytes come and go by routes of their own (`server/files/`)."""

from actors.auth.identity import Identity
from actors.errors import Forbidden, XpError
from actors.identifiers import new_id
from actors.resources.files.commands import CreateFile, DeleteFile, MoveFile, RestoreVersion, UpdateFile
from actors.resources.files.file import File, FileFilter
from actors.resources.files.queries import (
    CountFiles,
    GetFile,
    GetFileVersion,
    GetStorageUse,
    ListFiles,
    ListFileVersions,
)
from actors.resources.files.uploads import Upload
from server.api import render
from server.api.common_views import DeletedView
from server.api.cursors import integer
from server.api.fields import ById, given
from server.api.registry import Call, Operations, Result
from server.files.uploads.direct import DirectUploads
from server.files.uploads.progress import Progress
from server.resources.files.views import (
    BatchRequest,
    BatchView,
    BeginUploadRequest,
    CompleteUploadRequest,
    CreateFileRequest,
    DirectUploadView,
    FileVersionRequest,
    FileVersionView,
    FileView,
    ListFilesRequest,
    ListFileVersionsRequest,
    SignedUrlView,
    SignFileRequest,
    StorageUseRequest,
    StorageUseView,
    UpdateFileRequest,
)

operations = Operations("files")


@operations("GET", "/files", response=FileView, paged=True)
async def list_files(call: Call, request: ListFilesRequest) -> Result:
    """Files that you may see, newest first: your own outside of threads, and those of your threads."""
    if request.all and not call.identity.is_admin:
        raise Forbidden("`all` requires the role ADMIN.")
    wanted = _filter(request)
    page = await call.services.ask(
        ListFiles(call.identity, wanted, limit=request.limit, before=integer(request.cursor), everything=request.all)
    )
    extra = {}
    if request.totals:
        totals = await call.services.ask(CountFiles(call.identity, wanted, everything=request.all))
        extra["totals"] = {"count": totals.count, "size": totals.size}
    shown = [render.file(file) for file in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit, extra=extra)


def _filter(request: ListFilesRequest) -> FileFilter:
    return FileFilter(
        thread_id=request.thread_id, owner_id=request.owner_id, media_type=request.type, status=request.status,
        name=request.name, size_from=request.min_size, size_to=request.max_size,
        created_from=request.after, created_to=request.before,
        text=request.q,
    )  # fmt: skip


@operations("POST", "/files", response=FileView, status=201)
async def create_file(call: Call, request: CreateFileRequest) -> Result:
    """Create a file's record; its bytes may follow. With `multipart/form-data`, upload files at once.

    The file is `pending` until its bytes are there: send them with `PUT /files/{id}/content`, or in pieces by tus with
    its id as `file_id`. A message can show the file before that.
    """
    command = CreateFile(
        identity=call.identity, once=call.once, file_id=request.id or new_id(), name=request.name,
        thread_id=request.thread_id, media_type=request.media_type, metadata=request.metadata,
    )  # fmt: skip
    file = await call.services.result(command)
    return _shown(file, location=f"/api/v1/files/{file.id}")


@operations("GET", "/files/storage", response=StorageUseView)
async def get_storage_use(call: Call, request: StorageUseRequest) -> Result:
    """Room that files take, and what is left: yours, and a thread's."""
    used = await call.services.ask(GetStorageUse(call.identity, request.thread_id))
    quotas = call.services.files.quotas
    most = {"user": quotas.user, "thread": quotas.thread, "server": quotas.server}
    if not call.identity.is_admin:
        used.pop("server", None)
    room = {scope: _room(used[scope], limit) if scope in used else None for scope, limit in most.items()}
    return Result({**room, "file_limit": call.services.files.limit})


def _room(used: int, limit: int | None) -> render.Json:
    return {"used": used, "limit": limit, "left": None if limit is None else max(0, limit - used)}


@operations("GET", "/files/{id}", response=FileView)
async def get_file(call: Call, request: ById) -> Result:
    """The record of a file; its content is at `url`."""
    return _shown(await call.services.ask(GetFile(call.identity, request.id)))


@operations("PATCH|PUT", "/files/{id}", response=FileView)
async def update_file(call: Call, request: UpdateFileRequest) -> Result:
    """Change a file's name or metadata. For its owner, and the owners of its thread."""
    command = UpdateFile(
        identity=call.identity, once=call.once, file_id=request.id, if_version=call.if_version,
        **given(request, "name", "metadata"),
    )  # fmt: skip
    return _shown(await call.services.result(command))


@operations("DELETE", "/files/{id}", response=DeletedView)
async def delete_file(call: Call, request: ById) -> Result:
    """Delete a file with all versions; messages no longer show it. For its owner, and the owners of its thread."""
    await call.services.write(
        DeleteFile(identity=call.identity, file_id=request.id, if_version=call.if_version, origin=call.origin)
    )
    return Result({"id": request.id, "deleted": True})


@operations("GET", "/files/{id}/versions", response=FileVersionView, paged=True)
async def list_file_versions(call: Call, request: ListFileVersionsRequest) -> Result:
    """Versions of a file, newest first."""
    page = await call.services.ask(
        ListFileVersions(call.identity, request.id, limit=request.limit, before=integer(request.cursor))
    )
    shown = [render.file_version(version, request.id) for version in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/files/{id}/versions/{number}", response=FileVersionView)
async def get_file_version(call: Call, request: FileVersionRequest) -> Result:
    """One version of a file."""
    _, version = await call.services.ask(GetFileVersion(call.identity, request.id, request.number))
    return Result(render.file_version(version, request.id))


@operations("POST", "/files/{id}/versions/{number}/restore", response=FileView)
async def restore_file_version(call: Call, request: FileVersionRequest) -> Result:
    """Make the content of an earlier version the newest version."""
    command = RestoreVersion(identity=call.identity, once=call.once, file_id=request.id, number=request.number)
    return _shown(await call.services.result(command))


@operations("POST", "/files/{id}/sign", response=SignedUrlView, scope="read", rate="read", failures=(423,))
async def sign_file(call: Call, request: SignFileRequest) -> Result:
    """Create a URL for the content or a preview that works without a token for a while: for `<img>`, and for CDNs.

    It has your rights, as they are when it is used: when you no longer see the file, neither does the URL.
    """
    library = call.services.files
    await library.readable(call.identity, request.id, request.version, request.preview, call.origin)
    expires_at = int(call.services.clock()) + request.seconds
    path = f"/api/v1/files/{request.id}/{'preview' if request.preview else 'content'}"
    chosen = {"version": request.version, "name": request.preview, "disposition": request.disposition}
    given_ones = {name: str(value) for name, value in chosen.items() if value is not None}
    who, keys = call.identity, library.url_keys.keys
    url = keys.sign("GET", path, who.user.id, expires_at, who.api_key_id, **given_ones)
    return Result({"url": url, "expires_at": render.iso_time(expires_at * 1000)})


@operations("POST", "/files/{id}/direct", response=DirectUploadView, status=201)
async def begin_upload(call: Call, request: BeginUploadRequest) -> Result:
    """Begin a direct upload: PUT the bytes to `url`, then complete it. For a new version of the file, or its first.

    The URL needs no token, and takes exactly `size` bytes. With S3 it is the store's own, and the bytes do not pass
    through this server.
    """
    begun = await _direct_uploads(call).begin(
        call.identity, request.id, request.size, media_type=request.media_type, once=call.once
    )
    return Result(
        {
            "id": begun.upload.id, "file_id": begun.upload.file_id, "size": request.size, "url": begun.url,
            "url_expires_at": render.iso_time(begun.url_expires_at),
            "expires_at": render.iso_time(begun.upload.expires_at),
        },
        location=f"/api/v1/files/uploads/{begun.upload.id}",
    )  # fmt: skip


@operations("POST", "/files/{id}/complete", response=FileView)
async def complete_upload(call: Call, request: CompleteUploadRequest) -> Result:
    """Complete a direct upload: its bytes are checked, and become the newest version of the file.

    A second time it answers the same. Bytes of another size or hash are not kept; send them again, then complete it.
    """
    file = await _direct_uploads(call).complete(call.identity, request.id, request.upload_id, request.sha256)
    return _shown(file)


def _direct_uploads(call: Call) -> DirectUploads:
    def reached(identity: Identity, upload: Upload, received: int) -> None:
        Progress(call.services, identity, upload).publish(received)

    return DirectUploads(call.services.files, reached)


@operations("POST", "/files/batch", response=BatchView, rate="costly")
async def batch_files(call: Call, request: BatchRequest) -> Result:
    """Delete or move up to 100 files. Each stands for itself: `items` says what became of it."""
    return Result({"items": [await _one_of_batch(call, request, file_id) for file_id in request.ids]})


async def _one_of_batch(call: Call, request: BatchRequest, file_id: str) -> render.Json:
    command = (
        DeleteFile(identity=call.identity, file_id=file_id, origin=call.origin)
        if request.action == "delete"
        else MoveFile(identity=call.identity, file_id=file_id, thread_id=request.thread_id)
    )
    try:
        result = (await call.services.write(command)).result
    except XpError as error:
        return {"id": file_id, "ok": False, "file": None, "code": error.code, "detail": error.detail}
    file = render.file(result) if isinstance(result, File) else None
    return {"id": file_id, "ok": True, "file": file, "code": None, "detail": None}


def _shown(file: File, location: str | None = None) -> Result:
    return Result(render.file(file), version=file.revision, location=location)
