"""`PUT /api/v1/files/{id}/content`: a file's bytes as a body, whole or from where they broke off."""

import base64
import binascii
import re
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from aiohttp import web

from actors.auth.identity import Identity
from actors.errors import ChecksumMismatch, Conflict, Malformed, NotFound, ValidationFailed
from actors.permissions import must_match
from actors.resources.files.queries import GetFile
from actors.resources.files.uploads import FindPlainUpload, Upload
from server.api import render
from server.api.registry import Result
from server.files.downloads.ranges import Span, span_of
from server.files.transfers import ARRIVAL, Transfers, id_of
from server.files.uploads.progress import Progress
from server.files.uploads.receiving import Body, LineLost
from server.files.uploads.staging import StagedFile
from server.files.uploads.tus import Checksum
from server.files.uploads.upload_fields import plain_type
from server.files.uploads.upload_locks import Writer
from server.files.uploads.uploads import Uploads, must_fit
from server.http import rest
from server.http.middleware import HEADER, correlation_id

_SHA256 = re.compile(r"sha-256=:?([A-Za-z0-9+/=]{44}):?", re.IGNORECASE)


class Raw:
    def __init__(self, transfers: Transfers, uploads: Uploads) -> None:
        self._transfers = transfers
        self._uploads = uploads

    async def put(self, request: web.Request, identity: Identity) -> web.StreamResponse:
        file_id = id_of(request, "file_id")
        span = _span(request)
        digests = _digests(request, span)
        must_fit(request.content_length, self._transfers.library.limit)
        try:
            with self._transfers.connection(request, identity):
                async with self._alone(request, identity, file_id) as turn:
                    over = await self._seen(request, identity, file_id)
                    upload = await self._upload(request, identity, file_id, span)
                    return await self._take(request, identity, upload, over, turn, span, digests)
        except LineLost:
            return web.Response(status=400)

    def _alone(self, request: web.Request, identity: Identity, file_id: str) -> AbstractAsyncContextManager[Writer]:
        """One PUT of a user into a file at a time: two that begin in the same moment would leave an upload each, and
        the next one finds only one of them."""
        return self._transfers.locks.hold(f"{identity.user.id} {file_id}", request[ARRIVAL])

    async def _seen(self, request: web.Request, identity: Identity, file_id: str) -> int | None:
        """The version that `If-Match` has seen: no other may have come when this one is complete."""
        wanted = rest.if_match(request)
        if wanted is None:
            return None
        file = await self._transfers.services.ask(GetFile(identity, file_id))
        must_match(wanted, file.revision)
        return 0 if file.version is None else file.version.number

    async def _upload(self, request: web.Request, identity: Identity, file_id: str, span: Span | None) -> Upload:
        """A new one; or the one before, where this goes on with it."""
        begun = await self._begun_before(identity, file_id)
        if span is not None and span.first:
            if begun is None:
                raise _nothing_there(0)
            if begun.length not in (None, span.whole):
                raise Conflict(
                    f"The upload was begun for {begun.length} bytes, and this is a part of {span.whole}; "
                    "go on with the same, or send it whole.",
                    code="wrong_length",
                )
            return begun
        length = span.whole if span is not None else request.content_length
        upload = await self._transfers.library.begin(
            identity, kind="plain", media_type=_declared(request), length=length, file_id=file_id,
            if_version=rest.if_match(request),
        )  # fmt: skip
        if begun is not None:  # only now: a record without bytes goes with the last upload that could bring them
            async with self._transfers.locks.hold(begun.id):
                await self._uploads.abandon(identity, begun)
        return upload

    async def _begun_before(self, identity: Identity, file_id: str) -> Upload | None:
        """What broke off, and may go on."""
        found = await self._transfers.services.ask(FindPlainUpload(identity, file_id))
        if found is None:
            return None
        try:
            return await self._transfers.library.upload(identity, found.id)
        except NotFound:  # its time is over
            return None

    async def _take(
        self, request: web.Request, identity: Identity, upload: Upload, over: int | None, turn: Writer,
        span: Span | None, digests: "_Digests",
    ) -> web.StreamResponse:  # fmt: skip
        async with self._uploads.opened(upload.id, request[ARRIVAL]) as (staged, writer):
            if span is not None and (span.first or 0) != staged.size:
                raise _nothing_there(staged.size)
            most = upload.length if upload.length is not None else self._transfers.library.limit
            body = self._uploads.body(request, identity, upload, writer)
            turn.may_be_cut_by(body.end)
            await self._append(body, staged, most, self._uploads.progress(identity, upload), digests.part)
            reached = staged.size
            if span is not None and span.whole is not None and reached < span.whole:
                headers = {HEADER: correlation_id.get(), "Upload-Offset": str(reached)}
                return web.Response(status=202, headers=headers)
            await self._must_be(upload, staged, digests.whole, "Content-Digest" if span is None else "Repr-Digest")
            found = await self._uploads.complete(identity, upload, staged, over)
        answer = rest.respond(request, Result(render.file(found), version=found.revision), 200)
        answer.headers.update(await self._transfers.room_left(identity, found))
        return answer

    async def _append(
        self, body: Body, staged: StagedFile, most: int, progress: Progress, expected: str | None
    ) -> None:
        if expected is None:
            await self._uploads.append(body, staged, most, progress)
            return
        try:
            await self._uploads.append_checked(
                body, staged, most, Checksum("sha256", bytes.fromhex(expected)), progress
            )
        except ChecksumMismatch:
            sentence = "names another SHA-256 than that of the part that came, of which nothing was kept."
            raise ValidationFailed({"Content-Digest": [sentence]}) from None

    async def _must_be(self, upload: Upload, staged: StagedFile, digest: str | None, header: str) -> None:
        if digest is not None and digest != staged.hash.hexdigest():
            found = staged.hash.hexdigest()
            staged.close()
            await self._transfers.staging.remove(upload.id)
            sentence = f"names the SHA-256 {digest}; the bytes that came have {found}."
            raise ValidationFailed({header: [sentence]})


def _span(request: web.Request) -> Span | None:
    header = request.headers.get("Content-Range")
    if header is None:
        return None
    span = span_of(header)
    if span is None or span.first is None or span.whole is None:
        raise Malformed(f"Content-Range must read `bytes <first>-<last>/<all>`; got {header[:100]}.")
    if request.content_length not in (None, span.last - span.first + 1):
        raise Malformed("Content-Range names another number of bytes than Content-Length.")
    return span


@dataclass(frozen=True, slots=True)
class _Digests:
    """SHA-256, hexadecimal, that are expected."""

    part: str | None
    """Of what this request brings."""
    whole: str | None


def _digests(request: web.Request, span: Span | None) -> _Digests:
    """`Content-Digest` is of the body, which may be a part; the others are of the whole (RFC 9530). Raises
    `Malformed`."""
    if span is None:
        return _Digests(None, expected_digest(request, "Content-Digest", "Repr-Digest", "Digest"))
    return _Digests(expected_digest(request, "Content-Digest"), expected_digest(request, "Repr-Digest", "Digest"))


def expected_digest(request: web.Request, *names: str) -> str | None:
    """The first that is given; None where none is. Raises `Malformed`."""
    for name in names:
        header = request.headers.get(name, "")
        if "sha-256" in header.lower():
            match = _SHA256.search(header)
            try:
                return base64.b64decode(match[1] if match else "-", validate=True).hex()
            except binascii.Error:
                raise Malformed(f"{name} must read `sha-256=:<Base64>:`.") from None
    return None


def _declared(request: web.Request) -> str | None:
    """curl calls all that it sends a form."""
    found = plain_type(request.headers.get("Content-Type"))
    return None if found in ("application/octet-stream", "application/x-www-form-urlencoded") else found


def _nothing_there(size: int) -> Conflict:
    return Conflict(
        f"{size} bytes of this upload are there; go on from that offset, or send it whole.",
        code="offset_mismatch", headers={"Upload-Offset": str(size)},
    )  # fmt: skip
