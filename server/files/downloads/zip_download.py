"""Many files as one zip archive, streamed: `POST /api/v1/files/zip`, and `GET` by a signed URL."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from actors import limits
from actors.blobs import BlobError
from actors.errors import TooLarge, ValidationFailed, XpError
from actors.identifiers import is_id
from server.files.content import Content
from server.files.downloads.sending import Ended, Sender
from server.files.downloads.serving import SANDBOX
from server.files.downloads.zip_stream import ZipWriter
from server.files.library import blob_refusal
from server.files.names import content_disposition, safe_name, unique_names
from server.files.transfers import Reader, Transfers
from server.http import rest
from server.http.middleware import HEADER, begin, correlation_id

MISSING = "_left_out.txt"


@dataclass(frozen=True, slots=True)
class Asked:
    ids: tuple[str, ...]
    name: str


class Archives:
    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers

    async def post(self, request: web.Request, who: Reader) -> web.StreamResponse:
        body = rest.parse_json(await rest.raw_body(request, limits.BODY_BYTES))
        if not isinstance(body, dict) or body.keys() - {"ids", "name"} or not isinstance(body.get("ids"), list):
            raise ValidationFailed({"body": ["expected `ids`, a list of files, and optionally `name`, and no more."]})
        return await self._answer(request, who, _asked(body["ids"], body.get("name")))

    async def get(self, request: web.Request, who: Reader) -> web.StreamResponse:
        return await self._answer(
            request, who, _asked(request.query.get("ids", "").split(","), request.query.get("name"))
        )

    async def _answer(self, request: web.Request, who: Reader, asked: Asked) -> web.StreamResponse:
        identity = await self._transfers.must_still_be(request, who)  # the list of a POST may have come slowly
        origin = self._transfers.authentication.peer(request).origin
        contents = [await self._transfers.library.readable(identity, each, origin=origin) for each in asked.ids]
        if (size := sum(content.size for content in contents)) > limits.ZIP_BYTES:
            raise TooLarge("An archive", limits.ZIP_BYTES, size)
        response = web.StreamResponse(headers={HEADER: correlation_id.get()})
        response.headers.update(_headers(asked.name))
        with self._transfers.connection(request, who):
            await self._send(request, who, response, contents)
        return response

    async def _send(
        self, request: web.Request, who: Reader, response: web.StreamResponse, contents: list[Content]
    ) -> None:
        now: list[Content] = []

        async def allowed() -> None:
            """Also to the file that is on its way: a large one, to a slow reader, lasts for hours."""
            identity = await self._transfers.must_still_be(request, who)
            for content in now:
                await self._transfers.library.readable(identity, content.file.id, content.version.number)

        sender = Sender(
            request, response, self._transfers.library.blobs, self._transfers.staging, allowed,
            draining=lambda: self._transfers.services.draining,
        )  # fmt: skip
        writer = ZipWriter()
        await begin(request, response)
        try:
            if request.method != "HEAD":
                async with sender.watched():
                    await self._send_files(request, who, sender, writer, contents, now)
            await response.write_eof()
        except (Ended, ConnectionError, BlobError) as error:
            if isinstance(error, BlobError):
                blob_refusal(error)  # logs it: half an archive is none, and its reader sees that it broke off
            if request.transport is not None:
                request.transport.abort()
            response.force_close()

    async def _send_files(
        self, request: web.Request, who: Reader, sender: Sender, writer: ZipWriter, contents: list[Content],
        now: list[Content],
    ) -> None:  # fmt: skip
        """`now` has the one that is on its way."""
        left_out: list[str] = []
        for content, name in zip(contents, unique_names([each.file.name for each in contents]), strict=True):
            try:
                await self._must_still_be(request, who, content)
            except XpError as refusal:
                left_out.append(f"{name}: {refusal.detail}")
                continue
            now[:] = [content]
            await sender.write(writer.begin(name, content.size))
            pieces = self._transfers.library.blobs.open(content.digest)
            async with contextlib.aclosing(pieces):
                async for piece in pieces:
                    await sender.write(writer.feed(piece))
            await sender.write(writer.end())
            now.clear()
        if left_out:
            text = ("These files could not be read any more:\n" + "\n".join(left_out) + "\n").encode()
            await sender.write(writer.begin(MISSING, len(text)) + writer.feed(text) + writer.end())
        await sender.write(writer.finish())

    async def _must_still_be(self, request: web.Request, who: Reader, content: Content) -> None:
        """When its turn comes: rights may have ended since the archive began."""
        identity = await self._transfers.must_still_be(request, who)
        await self._transfers.library.readable(identity, content.file.id, content.version.number)


def _asked(ids: Sequence[object], name: object) -> Asked:
    found = [each for each in ids if isinstance(each, str) and is_id(each)]
    if len(found) != len(ids) or not 0 < len(found) <= limits.ZIP_FILES or len(set(found)) != len(found):
        raise ValidationFailed({"ids": [f"expected 1 to {limits.ZIP_FILES} ids of files, each once."]})
    if name is not None and not (isinstance(name, str) and 0 < len(name) <= limits.FILE_NAME_CHARS):
        raise ValidationFailed({"name": ["expected the name of the archive."]})
    return Asked(tuple(found), safe_name(name) if isinstance(name, str) else "files.zip")


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Type": "application/zip",
        "Content-Disposition": content_disposition(name, inline=False),
        "Content-Security-Policy": SANDBOX,
        "Cache-Control": "no-store",
    }
