"""tus 1.0.0 over HTTP: `/api/v1/files/uploads`."""

from aiohttp import web
from aiohttp.hdrs import METH_OPTIONS

from actors.auth.identity import Identity
from actors.errors import MethodNotAllowed, NotFound, XpError
from actors.resources.files.file import File
from actors.resources.files.uploads import Upload
from server.files.transfer_end import Handler, ServeUser
from server.files.transfers import ARRIVAL, Transfers, id_of
from server.files.uploads import tus
from server.files.uploads.receiving import LineLost
from server.files.uploads.staging import StagedFile
from server.files.uploads.upload_fields import facts_of, id_given, once_of, plain_type, upload_fields
from server.files.uploads.upload_locks import Writer
from server.files.uploads.uploads import Uploads, must_fit
from server.http.headers import cors
from server.http.middleware import HEADER, correlation_id

PATH = "/api/v1/files/uploads"
_OF_ALL = ("OPTIONS", "POST")
_OF_ONE = ("DELETE", "HEAD", "OPTIONS", "PATCH", "POST")


class Tus:
    def __init__(self, transfers: Transfers, uploads: Uploads) -> None:
        self._transfers = transfers
        self._uploads = uploads

    async def options(self, request: web.Request) -> web.StreamResponse:
        """What is spoken here, for anyone; and what a page may send, which the middleware answers."""
        if cors.asks_first(request):
            raise web.HTTPMethodNotAllowed(METH_OPTIONS, _OF_ONE if "upload_id" in request.match_info else _OF_ALL)
        return _answer(204, tus.offered(self._transfers.library.limit))

    async def create(self, request: web.Request, identity: Identity) -> web.StreamResponse:
        """POST: creation, and creation with the first bytes."""
        asked = tus.creation_of(request.headers, self._transfers.library.limit)
        has_body = request.body_exists and request.content_length != 0
        if has_body:
            tus.must_be_piece(request.content_type)
            must_fit(request.content_length, self._most(asked.length))
        upload = await self._create(request, identity, asked)
        headers = {"Location": f"{PATH}/{upload.id}"}
        headers |= await self._transfers.room_left(identity, upload)
        if upload.completed_as is not None:  # by an earlier request with the same key
            return _complete(201, headers, upload)
        there, file = 0, None
        if "Idempotency-Key" in request.headers:  # an earlier request with it may have brought some bytes
            upload, there, file = await self._state(identity, upload.id, request[ARRIVAL])
        if there or (not has_body and asked.length != 0):
            return _answer(201, headers | tus.progress(there, upload.expires_at) | _naming(file, upload))
        with self._transfers.connection(request, identity):
            return await self._go_on(request, identity, upload, 0, 201, headers)

    async def _create(self, request: web.Request, identity: Identity, asked: tus.Creation) -> Upload:
        key, media_type = request.headers.get("Idempotency-Key"), plain_type(asked.media_type)
        if asked.file_id is not None:
            return await self._transfers.library.begin(
                identity, kind="resumable", media_type=media_type, length=asked.length,
                file_id=id_given(asked.file_id, "file_id"),
                once=None if key is None else once_of(key, asked.file_id, media_type, asked.length),
            )  # fmt: skip
        given = upload_fields(asked.name, asked.media_type, asked.thread_id, asked.metadata)
        return await self._transfers.library.begin(
            identity, kind="resumable", name=given.name, media_type=given.media_type, length=asked.length,
            thread_id=given.thread_id, metadata=given.metadata,
            once=None if key is None else once_of(key, *facts_of(given), asked.length),
        )  # fmt: skip

    async def head(self, request: web.Request, identity: Identity) -> web.StreamResponse:
        upload = await self._resumable(request, identity)
        upload, offset, file = await self._state(identity, upload.id, request[ARRIVAL])
        described = {"Upload-Metadata": tus.metadata_header(upload.name, upload.declared_type)} if upload.name else {}
        return _answer(
            200,
            tus.progress(offset, upload.expires_at)
            | tus.length_headers(upload.length) | {"Cache-Control": "no-store"} | described | _naming(file, upload),
        )  # fmt: skip

    async def _state(self, identity: Identity, upload_id: str, arrival: int) -> tuple[Upload, int, File | None]:
        """How far it is. One whose last byte came just before the server was ended is completed now."""
        async with self._transfers.locks.hold(upload_id, arrival):
            upload = await self._as_it_is(identity, upload_id)
            if upload.completed_as is not None:
                return upload, upload.length or 0, None
            async with self._uploads.staged(upload_id) as staged:
                offset = staged.size
                if offset == upload.length:
                    return upload, offset, await self._uploads.complete(identity, upload, staged)
                return upload, offset, None

    async def _as_it_is(self, identity: Identity, upload_id: str) -> Upload:
        """For a request that holds it: the one before may have completed it, or have given it a length."""
        return await self._transfers.library.own_upload(identity, upload_id)

    async def patch(self, request: web.Request, identity: Identity) -> web.StreamResponse:
        tus.must_be_piece(request.content_type)
        offset = tus.number_of(request.headers, "Upload-Offset")
        upload = await self._resumable(request, identity)
        with self._transfers.connection(request, identity):
            return await self._go_on(request, identity, upload, offset, 204, {})

    async def _go_on(
        self, request: web.Request, identity: Identity, upload: Upload, offset: int, status: int,
        headers: dict[str, str],
    ) -> web.StreamResponse:  # fmt: skip
        file: File | None = None
        async with self._transfers.locks.hold(upload.id, request[ARRIVAL]) as writer:
            upload = await self._as_it_is(identity, upload.id)
            if upload.completed_as is not None:
                tus.must_continue(offset, upload.length or 0, upload.length)
                return _complete(status, headers, upload)
            async with self._uploads.staged(upload.id) as staged:
                tus.must_continue(offset, staged.size, upload.length)
                upload = await self._with_length(request, identity, upload, staged.size)
                await self._take(request, identity, upload, staged, writer)
                reached = staged.size
                if reached == upload.length:
                    file = await self._uploads.complete(identity, upload, staged)
        if file is not None:
            headers = headers | await self._transfers.room_left(identity, upload)
        return _answer(status, headers | tus.progress(reached, upload.expires_at) | _naming(file, upload))

    async def _with_length(self, request: web.Request, identity: Identity, upload: Upload, there: int) -> Upload:
        """Where the length was not known before, and is now."""
        if request.method == "POST" and "X-HTTP-Method-Override" not in request.headers:
            return upload  # its creation has said it
        most = self._transfers.library.limit
        length = tus.late_length_of(request.headers, upload.length, there, most)
        return upload if length is None else await self._transfers.library.set_length(identity, upload, length)

    def _most(self, length: int | None) -> int:
        return self._transfers.library.limit if length is None else length

    async def _take(
        self, request: web.Request, identity: Identity, upload: Upload, staged: StagedFile, writer: Writer
    ) -> None:
        most = self._most(upload.length)
        must_fit(request.content_length, most - staged.size)
        checksum = tus.checksum_of(request.headers)
        body = self._uploads.body(request, identity, upload, writer)
        progress = self._uploads.progress(identity, upload)
        if checksum is None:
            await self._uploads.append(body, staged, most, progress)
        else:
            await self._uploads.append_checked(body, staged, most, checksum, progress)

    async def delete(self, request: web.Request, identity: Identity) -> web.StreamResponse:
        """Also of a direct upload."""
        upload = await self._transfers.library.upload(identity, id_of(request, "upload_id"))
        async with self._transfers.locks.hold(upload.id, request[ARRIVAL]):
            await self._uploads.abandon(identity, upload)
        return _answer(204, {"Tus-Resumable": tus.VERSION})

    async def instead(self, request: web.Request, identity: Identity) -> web.StreamResponse:
        """POST, from where PATCH or DELETE do not get through: the method is in a header."""
        asked = request.headers.get("X-HTTP-Method-Override", "")
        chosen: dict[str, ServeUser] = {"PATCH": self.patch, "DELETE": self.delete, "HEAD": self.head}
        if asked not in chosen:
            raise MethodNotAllowed(
                f"{request.path} supports {', '.join(_OF_ONE)}; got POST without such an X-HTTP-Method-Override.",
                allowed=_OF_ONE,
            )
        return await chosen[asked](request, identity)

    async def _resumable(self, request: web.Request, identity: Identity) -> Upload:
        upload = await self._transfers.library.upload(identity, id_of(request, "upload_id"))
        if upload.kind != "resumable":
            raise NotFound("upload", upload.id)
        return upload


def must_be_spoken(serve: ServeUser) -> ServeUser:
    """Before anything is done for a request that speaks another version, or none."""

    async def serve_tus(request: web.Request, identity: Identity) -> web.StreamResponse:
        tus.must_be_spoken(request.headers)
        return await serve(request, identity)

    return serve_tus


def spoken(handler: Handler) -> Handler:
    """Every answer, refusals too, says which version it speaks. A body that broke off gets none: nobody reads it."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except LineLost:
            return web.Response(status=400)
        except XpError as error:
            error.data["headers"] = {"Tus-Resumable": tus.VERSION, **error.data.get("headers", {})}
            raise

    return handle


def _naming(file: File | None, upload: Upload) -> dict[str, str]:
    """Of a complete upload: which file it became."""
    if file is None and upload.completed_as is None:
        return {}
    return {"X-File-Id": upload.file_id, "Content-Location": f"/api/v1/files/{upload.file_id}"}


def _complete(status: int, headers: dict[str, str], upload: Upload) -> web.StreamResponse:
    """All of it was there before."""
    return _answer(status, headers | tus.progress(upload.length or 0, upload.expires_at) | _naming(None, upload))


def _answer(status: int, headers: dict[str, str]) -> web.StreamResponse:
    return web.Response(status=status, headers={HEADER: correlation_id.get(), **headers})
