"""`POST /api/v1/files` as a form: files with the fields that hold for all of them, as browsers and curl send it."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from actors import limits
from actors.auth.identity import Identity
from actors.errors import TooLarge, ValidationFailed, XpError
from actors.resources.files.file import File
from actors.resources.files.queries import GetFile
from actors.resources.files.uploads import Upload
from actors.runtime.unbroken import unbroken
from server.api import render
from server.api.registry import Result
from server.files.transfers import ARRIVAL, Transfers
from server.files.uploads.form_parser import FormEvent, FormParser, PartBegan, PartBytes, PartEnded, boundary_of
from server.files.uploads.receiving import Appender, LineLost
from server.files.uploads.staging import StagedFile
from server.files.uploads.upload_fields import facts_of, once_of, upload_fields
from server.files.uploads.uploads import Uploads
from server.http import problems, rest
from server.http.middleware import correlation_id

FIELDS = ("thread_id", "metadata")


class Forms:
    def __init__(self, transfers: Transfers, uploads: Uploads) -> None:
        self._transfers = transfers
        self._uploads = uploads

    async def create(self, request: web.Request, identity: Identity) -> web.StreamResponse:
        parser = FormParser(boundary_of(request.headers["Content-Type"]))
        form = _Form(self._transfers, self._uploads, identity, request[ARRIVAL], _key(request))
        body = self._transfers.body(request, identity, form.must_be_allowed)
        form.cut = body.end
        try:
            with self._transfers.connection(request, identity):
                async for piece in body.pieces():
                    for event in parser.feed(piece):
                        await form.take(event)
                parser.finish()
        except LineLost:
            return web.Response(status=400)
        finally:
            await form.close()
        answer = rest.respond(request, self._answer(form), 201)
        stored = [found for _, found in form.results if isinstance(found, File)]
        if stored:
            answer.headers.update(await self._transfers.room_left(identity, stored[-1]))
        return answer

    def _answer(self, form: "_Form") -> Result:
        """One file: its record, or why it was refused. Several: a list, in which each stands for itself."""
        if not form.results:
            raise ValidationFailed({"file": ["A form must have at least one file."]})
        if len(form.results) == 1:
            _, found = form.results[0]
            if isinstance(found, XpError):
                raise found
            return Result(render.file(found), location=f"/api/v1/files/{found.id}", version=found.revision)
        shown = [self._shown(name, found) for name, found in form.results]
        return Result(shown, status=201 if all(item["file"] for item in shown) else 207)

    def _shown(self, name: str, found: File | XpError) -> dict[str, Any]:
        if isinstance(found, File):
            return {"name": name, "file": render.file(found), "error": None}
        base = self._transfers.services.problem_base
        problem = problems.problem(found, base=base, correlation_id=correlation_id.get())
        return {"name": name, "file": None, "error": problem}


def _key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    most = limits.IDEMPOTENCY_KEY_CHARS - 4  # a number is added for each file
    if key is not None and not (0 < len(key) <= most and key.isprintable()):
        raise ValidationFailed({"Idempotency-Key": [f"expected 1 to {most} printable characters."]})
    return key


@dataclass
class _Incoming:
    """The file that comes now."""

    name: str
    upload: Upload
    file: StagedFile
    appender: Appender
    opened: AsyncExitStack
    is_completing: bool = False
    """That asks for rights itself, and ends the upload where it is refused."""


@dataclass
class _Form:
    transfers: Transfers
    uploads: Uploads
    identity: Identity
    arrival: int
    key: str | None
    cut: Callable[[XpError], None] = lambda _: None
    """Ends the request."""
    results: list[tuple[str, File | XpError]] = field(default_factory=list)
    _fields: dict[str, str] = field(default_factory=dict)
    _field: str | None = None
    _value: bytes = b""
    _incoming: _Incoming | None = None

    async def must_be_allowed(self) -> None:
        if self._incoming is not None and not self._incoming.is_completing:
            await self.transfers.library.upload(self.identity, self._incoming.upload.id)

    async def take(self, event: FormEvent) -> None:
        match event:
            case PartBegan(name, None):
                self._begin_field(name)
            case PartBegan(_, filename, media_type):
                await self._begin_file(filename or "", media_type)
            case PartBytes(data) if self._field is not None:
                self._value += data
                if len(self._value) > limits.FORM_FIELD_BYTES:
                    raise TooLarge(f"The field {self._field}", limits.FORM_FIELD_BYTES, None)
            case PartBytes(data) if self._incoming is not None:
                await self._append(self._incoming, data)
            case PartEnded() if self._field is not None:
                self._end_field(self._field)
            case PartEnded() if self._incoming is not None:
                await self._end_file(self._incoming)

    # Fields

    def _begin_field(self, name: str) -> None:
        if name not in FIELDS:
            raise ValidationFailed({name[:100]: ["This field is not known here."]})
        if self.results:
            stored = ", ".join(found.id for _, found in self.results if isinstance(found, File)) or "none"
            raise ValidationFailed(
                {name: [f"must come before the files, as it holds for those that follow. Stored before it: {stored}."]}
            )
        self._field, self._value = name, b""

    def _end_field(self, name: str) -> None:
        try:
            self._fields[name] = self._value.decode()
        except UnicodeDecodeError:
            raise ValidationFailed({name: ["expected a text in UTF-8."]}) from None
        self._field = None

    # Files

    async def _begin_file(self, filename: str, media_type: str | None) -> None:
        if filename:  # else a browser's field in which nothing was chosen
            await unbroken(self._open_file(filename, media_type))

    async def _open_file(self, filename: str, media_type: str | None) -> None:
        """To its end, also where the line is lost meanwhile: `close` then finds what there is to be given up."""
        try:
            upload = await self._begin_upload(filename, media_type)
        except XpError as refusal:
            self.results.append((filename, refusal))
            return
        if upload.completed_as is not None:  # by an earlier request with the same key
            await self._found_again(filename, upload)
            return
        opened = AsyncExitStack()
        file, writer = await opened.enter_async_context(self.uploads.opened(upload.id, self.arrival))
        writer.may_be_cut_by(self.cut)
        await self.transfers.staging.run(file.restart)
        progress = self.uploads.progress(self.identity, upload)
        appender = Appender(self.transfers.staging, file, self.transfers.library.limit, progress.reached)
        self._incoming = _Incoming(filename, upload, file, appender, opened)

    async def _begin_upload(self, filename: str, media_type: str | None) -> Upload:
        given = upload_fields(filename, media_type, self._fields.get("thread_id"), self._fields.get("metadata"))
        number = len(self.results)
        # That of an earlier request may have been refused, or have ended with the server.
        once = None if self.key is None else once_of(f"{self.key}/{number}", *facts_of(given), number, renews=True)
        return await self.transfers.library.begin(
            self.identity, kind="plain", name=given.name, media_type=given.media_type, thread_id=given.thread_id,
            metadata=given.metadata, once=once,
        )  # fmt: skip

    async def _found_again(self, filename: str, upload: Upload) -> None:
        found = await self.transfers.services.ask(GetFile(self.identity, upload.file_id))
        self.results.append((filename, found))

    async def _append(self, incoming: _Incoming, data: bytes) -> None:
        try:
            await incoming.appender.add(data)
        except (XpError, OSError) as error:
            await self._give_up(incoming, error)

    async def _end_file(self, incoming: _Incoming) -> None:
        try:
            await incoming.appender.end()
            incoming.is_completing = True
            found = await self.uploads.complete(self.identity, incoming.upload, incoming.file)
        except (XpError, OSError) as error:
            await self._give_up(incoming, error)
            return
        self._incoming = None
        await incoming.opened.aclose()
        self.results.append((incoming.name, found))

    async def _give_up(self, incoming: _Incoming, error: XpError | OSError) -> None:
        """This file; those behind it may be taken."""
        self._incoming = None
        await incoming.appender.save()
        await self.uploads.abandon(self.identity, incoming.upload)
        await incoming.opened.aclose()  # last: the next writer of this upload has a file of its own
        if not isinstance(error, XpError):
            raise error
        self.results.append((incoming.name, error))

    async def close(self) -> None:
        """What broke off in the middle is none; a request with the same key goes on with the upload from its start."""
        if self._incoming is not None:
            incoming, self._incoming = self._incoming, None
            await incoming.appender.save()
            if self.key is None:
                await self.uploads.abandon(self.identity, incoming.upload)
            else:
                await self.transfers.staging.remove(incoming.upload.id)
            await incoming.opened.aclose()
