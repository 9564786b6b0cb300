"""Bytes of a request into an upload, and a complete upload into a file: what tus, forms, PUT and signed URLs share."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from actors.auth.identity import Identity
from actors.errors import ChecksumMismatch, TooLarge
from actors.resources.files.file import File
from actors.resources.files.uploads import Upload
from actors.runtime.unbroken import unbroken
from server.files.library import REFUSED_FOR_GOOD
from server.files.transfers import Transfers
from server.files.uploads.progress import Progress
from server.files.uploads.receiving import Appender, Body, receive
from server.files.uploads.staging import StagedFile
from server.files.uploads.tus import Checksum
from server.files.uploads.upload_locks import Writer


class Uploads:
    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers

    @contextlib.asynccontextmanager
    async def opened(self, upload_id: str, arrival: int) -> AsyncIterator[tuple[StagedFile, Writer]]:
        """What has come of an upload, for this request alone; saved afterwards, where it was not completed."""
        async with self._transfers.locks.hold(upload_id, arrival) as writer, self.staged(upload_id) as file:
            yield file, writer

    @contextlib.asynccontextmanager
    async def staged(self, upload_id: str) -> AsyncIterator[StagedFile]:
        """The same, for a request that holds the upload already."""
        staging = self._transfers.staging
        file = await staging.open(upload_id)
        try:
            yield file
        finally:
            if not file.is_closed:
                await unbroken(staging.close_file(upload_id, file))

    def body(self, request: web.Request, identity: Identity, upload: Upload, writer: Writer) -> Body:
        async def allowed() -> None:
            await self._transfers.library.upload(identity, upload.id)

        body = self._transfers.body(request, identity, allowed)
        writer.may_be_cut_by(body.end)
        return body

    def progress(self, identity: Identity, upload: Upload) -> Progress:
        return Progress(self._transfers.services, identity, upload)

    async def append(self, body: Body, file: StagedFile, most: int, progress: Progress) -> None:
        """All of a body; `most`: how long the file may get."""
        async with contextlib.aclosing(body.pieces()) as pieces:
            await receive(pieces, Appender(self._transfers.staging, file, most, progress.reached))

    async def append_checked(
        self, body: Body, file: StagedFile, most: int, checksum: Checksum, progress: Progress
    ) -> None:
        """All of a body or nothing of it: it waits beside the file until its checksum is known to be right, so that
        bytes that nobody has checked are in none, whatever ends the server."""
        staging, counted = self._transfers.staging, checksum.new()
        piece = await staging.run(StagedFile.beside, file)
        try:
            async with contextlib.aclosing(body.pieces()) as pieces:
                appender = Appender(staging, piece, most - file.size, lambda size: progress.reached(file.size + size))
                await receive(pieces, appender, counted)
            if counted.digest() != checksum.digest:
                raise ChecksumMismatch(
                    f"The {checksum.algorithm} of these {piece.size} bytes is not the one in Upload-Checksum; "
                    "nothing of them was kept. Send them again."
                )
            await staging.run(file.take, piece)
        finally:
            await staging.run(piece.discard)

    async def complete(self, identity: Identity, upload: Upload, file: StagedFile, over: int | None = None) -> File:
        """Its file, also where this is done a second time. Nothing is left of what is refused for good, such as where
        the newest version is another than `over`."""
        return await unbroken(self._complete(identity, upload, file, over))

    async def _complete(self, identity: Identity, upload: Upload, file: StagedFile, over: int | None) -> File:
        staged = await self._transfers.staging.finish(file)
        try:
            found = await self._transfers.library.complete(identity, upload, staged, over)
        except REFUSED_FOR_GOOD:
            await self._abandon(identity, upload)
            raise
        await self._transfers.staging.remove(upload.id)
        return found

    async def abandon(self, identity: Identity, upload: Upload) -> None:
        """Nothing of it is left."""
        await unbroken(self._abandon(identity, upload))

    async def _abandon(self, identity: Identity, upload: Upload) -> None:
        await self._transfers.library.abandon(identity, upload)
        await self._transfers.staging.remove(upload.id)


def must_fit(length: int | None, most: int) -> None:
    """Before a body is read: what its headers announce. Raises `TooLarge`."""
    if length is not None and length > most:
        raise TooLarge("This upload", most, length)
