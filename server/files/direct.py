"""`PUT /api/v1/files/uploads/{id}/bytes?…&signature=`: where a client of a direct upload sends its bytes, if the store
is a folder. With S3 the URL is the store's own, and the bytes never come here."""

from aiohttp import web

from actors.errors import Conflict, Forbidden, Malformed, ShuttingDown
from server.files.receiving import LineLost
from server.files.signed_urls import is_signed
from server.files.staging import StagedFile
from server.files.transfers import Transfers, id_of, must_know
from server.files.uploads import Uploads, must_fit
from server.http.middleware import HEADER, correlation_id


def path_of(upload_id: str) -> str:
    return f"/api/v1/files/uploads/{upload_id}/bytes"


class DirectUploads:
    def __init__(self, transfers: Transfers, uploads: Uploads) -> None:
        self._transfers = transfers
        self._uploads = uploads

    async def put(self, request: web.Request) -> web.StreamResponse:
        if not is_signed(request.query):
            raise Forbidden(
                "This URL works with its signature alone; get one by `begin_upload`.", code="signature_invalid"
            )
        who = await self._transfers.reader(request)
        must_know(request, "user", "expires", "key", "signature")
        if self._transfers.services.draining:
            raise ShuttingDown("The server is shutting down; send the bytes again in a moment.")
        identity = await self._transfers.identity_of(who)
        upload = await self._transfers.library.upload(identity, id_of(request, "upload_id"))
        target = self._transfers.library.blobs.incoming_path(upload.id)
        if target is None or upload.length is None or upload.kind != "direct" or upload.completed_as is not None:
            raise Conflict("This upload takes no bytes here.")
        must_fit(request.content_length, upload.length)

        async def allowed() -> None:
            await self._transfers.library.upload(await self._transfers.identity_of(who), upload.id)

        with self._transfers.connection(request, who):
            async with self._transfers.locks.hold(upload.id) as writer:
                file = await self._transfers.staging.run(StagedFile, target)
                try:
                    await self._transfers.staging.run(file.restart)
                    body = self._transfers.signed_body(request, allowed)
                    writer.may_be_cut_by(body.end)
                    await self._uploads.append(body, file, upload.length)
                    await self._transfers.staging.run(file.save)
                except LineLost:
                    return web.Response(status=400)
                finally:
                    file.close()
        if file.size != upload.length:
            raise Malformed(f"Expected {upload.length} bytes, got {file.size}; send them again.")
        return web.Response(status=204, headers={HEADER: correlation_id.get()})
