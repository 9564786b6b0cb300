"""`PUT /api/v1/files/uploads/{id}/bytes?…&signature=`: where a client of a direct upload sends its bytes, if the store
signs no URLs. With S3 the URL is the store's own, and the bytes never come here."""

from pathlib import Path

from aiohttp import web

from actors.errors import Conflict, Malformed
from actors.resources.files.uploads import Upload
from server.files.downloads.signed_urls import SignedUrl
from server.files.transfers import ARRIVAL, Transfers, id_of
from server.files.uploads.direct import DirectUploads
from server.files.uploads.receiving import LineLost
from server.files.uploads.staging import StagedFile
from server.files.uploads.uploads import Uploads, must_fit
from server.http.middleware import HEADER, correlation_id


class DirectBytes:
    def __init__(self, transfers: Transfers, uploads: Uploads) -> None:
        self._transfers = transfers
        self._uploads = uploads
        self._direct = DirectUploads(transfers.library)

    async def put(self, request: web.Request, who: SignedUrl) -> web.StreamResponse:
        upload = await self._open_upload(who, id_of(request, "upload_id"))
        assert upload.length is not None, "a direct upload begins with its length"
        must_fit(request.content_length, upload.length)
        try:
            with self._transfers.connection(request, who):
                size = await self._take(request, who, upload, upload.length)
        except LineLost:
            return web.Response(status=400)
        if size != upload.length:
            raise Malformed(f"Expected {upload.length} bytes, got {size}; send them again.")
        return web.Response(status=204, headers={HEADER: correlation_id.get()})

    async def _open_upload(self, who: SignedUrl, upload_id: str) -> Upload:
        upload = await self._upload(who, upload_id)
        if upload.kind != "direct" or upload.completed_as is not None:
            raise Conflict("This upload takes no bytes here.")
        return upload

    async def _upload(self, who: SignedUrl, upload_id: str) -> Upload:
        return await self._transfers.library.upload(await self._transfers.identity_of(who), upload_id)

    async def _take(self, request: web.Request, who: SignedUrl, upload: Upload, most: int) -> int:
        """The body instead of what came before; answers its size."""

        async def allowed() -> None:
            await self._upload(who, upload.id)

        staging = self._transfers.staging
        progress = self._uploads.progress(await self._transfers.identity_of(who), upload)
        async with self._transfers.locks.hold(upload.id, request[ARRIVAL]) as writer:
            await self._open_upload(who, upload.id)  # the request before may have completed it, or ended it
            file = await staging.run(_opened, self._direct.place(upload))
            try:
                await staging.run(file.restart)
                body = self._transfers.signed_body(request, allowed)
                writer.may_be_cut_by(body.end)
                await self._uploads.append(body, file, most, progress)
                await staging.run(file.save)
            finally:
                file.close()
        return file.size


def _opened(path: Path) -> StagedFile:
    for folder in reversed(path.parents):
        folder.mkdir(mode=0o700, exist_ok=True)
    return StagedFile(path)
