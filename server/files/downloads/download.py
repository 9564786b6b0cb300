"""`GET` and `HEAD` of a file's content and previews: whole, a range, or several."""

import secrets
from collections.abc import Sequence

from aiohttp import web

from actors.blobs import BlobError
from actors.errors import NotFound, PreconditionFailed, ValidationFailed
from server.files.content import Content
from server.files.downloads.conditions import Verdict, judge, may_send_ranges
from server.files.downloads.ranges import Slice, slices_of
from server.files.downloads.sending import Ended, Sender
from server.files.downloads.serving import Labels
from server.files.library import blob_refusal
from server.files.transfers import Reader, Transfers, id_of
from server.http.middleware import HEADER, begin, correlation_id

_INLINE = {"inline": True, "attachment": False}


class Downloads:
    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers

    async def content(self, request: web.Request, who: Reader) -> web.StreamResponse:
        return await self._answer(request, who, None)

    async def preview(self, request: web.Request, who: Reader) -> web.StreamResponse:
        return await self._answer(request, who, request.query.get("name", "small"))

    async def _answer(self, request: web.Request, who: Reader, preview: str | None) -> web.StreamResponse:
        file_id, number, inline = id_of(request, "file_id"), _number(request), _inline(request)
        identity = await self._transfers.identity_of(who)
        origin = self._transfers.authentication.peer(request).origin
        content = await self._transfers.library.readable(identity, file_id, number, preview, origin)
        labels = _labels(content, inline, is_signed=who is not identity)
        match judge(request.headers, labels.digest, labels.modified):
            case Verdict.NOT_MODIFIED:
                return web.Response(status=304, headers={HEADER: correlation_id.get(), **labels.headers()})
            case Verdict.FAILED:
                raise PreconditionFailed(request.headers.get("If-Match", "an older time")[:200], labels.digest)
        slices: tuple[Slice, ...] = ()
        if request.method == "GET" and may_send_ranges(request.headers.get("If-Range"), labels.digest, labels.modified):
            slices = slices_of(request.headers.get("Range"), content.size)
        redirect = await self._elsewhere(content, labels) if request.method == "GET" else None
        if redirect is not None:
            return redirect
        with self._transfers.connection(request, who):
            return await self._send(request, who, content, labels, slices)

    async def _elsewhere(self, content: Content, labels: Labels) -> web.StreamResponse | None:
        """Where the operator has readers fetch from the store itself."""
        seconds = self._transfers.library.redirect_seconds
        if seconds is None:
            return None
        try:
            url = await self._transfers.library.blobs.signed_get(
                content.digest, seconds, media_type=labels.content_type, disposition=labels.disposition
            )
        except BlobError as error:
            raise blob_refusal(error) from error
        if url is None:
            return None
        headers = {HEADER: correlation_id.get(), "Location": url, "Cache-Control": "no-store"}
        return web.Response(status=302, headers=headers)

    async def _send(
        self, request: web.Request, who: Reader, content: Content, labels: Labels, slices: Sequence[Slice]
    ) -> web.StreamResponse:
        parts = _Parts(labels.content_type, content.size, slices)
        response = web.StreamResponse(status=206 if slices else 200, headers={HEADER: correlation_id.get()})
        response.headers.update(labels.headers())
        response.headers["Content-Type"] = parts.content_type
        response.content_length = parts.length
        if len(slices) == 1:
            response.headers["Content-Range"] = slices[0].content_range(content.size)
        sender = Sender(
            request, response, self._transfers.library.blobs, self._transfers.staging,
            lambda: self._must_still_be(request, who, content), draining=lambda: self._transfers.services.draining,
        )  # fmt: skip
        try:
            await sender.must_be_there(content.digest, content.size)
            await begin(request, response)
            if request.method != "HEAD":
                async with sender.watched():
                    for head, part in parts.each():
                        await sender.write(head)
                        await sender.send(content.digest, part)
                    await sender.write(parts.end)
            await response.write_eof()
        except (Ended, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
            response.force_close()
        except BlobError as error:
            if not response.prepared:
                raise blob_refusal(error) from error
            blob_refusal(error)  # logs it
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _must_still_be(self, request: web.Request, who: Reader, content: Content) -> None:
        identity = await self._transfers.must_still_be(request, who)
        await self._transfers.library.readable(identity, content.file.id, content.version.number)


class _Parts:
    """One part, or several as multipart/byteranges (RFC 9110, 14.6)."""

    def __init__(self, content_type: str, size: int, slices: Sequence[Slice]) -> None:
        self._slices = slices or (Slice(0, size),)
        self.end = b""
        self.content_type = content_type
        self._heads = [b""]
        if len(slices) > 1:
            boundary = secrets.token_hex(16)
            self.content_type = f"multipart/byteranges; boundary={boundary}"
            self._heads = [
                f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n"
                f"Content-Range: {part.content_range(size)}\r\n\r\n".encode()
                for part in slices
            ]
            self.end = f"\r\n--{boundary}--\r\n".encode()

    @property
    def length(self) -> int:
        return sum(map(len, self._heads)) + sum(part.size for part in self._slices) + len(self.end)

    def each(self) -> list[tuple[bytes, Slice]]:
        return list(zip(self._heads, self._slices, strict=True))


def _inline(request: web.Request) -> bool | None:
    """Whether the content is to be shown; None leaves it to its type."""
    asked = request.query.get("disposition")
    if asked is not None and asked not in _INLINE:
        raise ValidationFailed({"disposition": [f"expected `inline` or `attachment`; got {asked[:40]!r}."]})
    return None if asked is None else _INLINE[asked]


def _labels(content: Content, inline: bool | None, *, is_signed: bool) -> Labels:
    name = content.file.name
    if content.preview is not None:
        name = f"{name}.{content.preview.name}.{content.media_type.rpartition('/')[2]}"
    is_made = content.preview is not None
    return Labels(
        name, content.media_type, content.digest, content.version.created_at, inline, is_signed,
        is_trusted=is_made or content.version.trusted, charset="utf-8" if is_made else content.version.charset,
    )  # fmt: skip


def _number(request: web.Request) -> int | None:
    """Of the version, in the path or the query; None for the newest."""
    given = request.match_info.get("number") or request.query.get("version")
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 10 and int(given)):
        if "number" in request.match_info:
            raise NotFound("version", given[:40])
        raise ValidationFailed({"version": [f"expected the number of a version; got {given[:40]!r}."]})
    return int(given)
