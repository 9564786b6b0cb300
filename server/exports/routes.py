"""Routes of threads as files, and of the files that jobs have made."""

from functools import partial

from aiohttp import web

from actors.auth.identity import Identity
from actors.errors import ValidationFailed
from actors.resources.artifacts.queries import GetArtifact
from actors.resources.exports import Export
from actors.resources.threads import GetThread
from server.artifacts.printing import SHORT_NAMES
from server.exports.answers import at_once, file_headers, headers_of
from server.exports.sending import WatchedFile
from server.exports.threads import THREAD_FORMATS, ThreadFormat, exported_thread, most_of, transcript_of
from server.files.transfers import Transfers, id_of, must_know


def routes(transfers: Transfers) -> list[web.RouteDef]:
    exports = Exports(transfers)
    return [
        web.get("/api/v1/threads/{thread_id:[^/]{25}}/export", exports.thread),
        web.get("/api/v1/exports/{export_id:[^/]{25}}/content", exports.content),
    ]


class Exports:
    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers
        self._services = transfers.services

    async def thread(self, request: web.Request) -> web.Response:
        who = await self._transfers.reader(request, "costly")
        must_know(request, "format")
        assert isinstance(who, Identity)  # a signed URL has more parameters
        form = _format(request)
        async with at_once():
            most = most_of(form, at_once=True)
            transcript = await transcript_of(self._services.ask, who, id_of(request, "thread_id"), most)
            made = await exported_thread(
                self._services.printer, transcript, form, compute=partial(self._services.compute, who)
            )
        return web.Response(body=made.body, headers=headers_of(made))

    async def content(self, request: web.Request) -> web.StreamResponse:
        who = await self._transfers.reader(request)
        must_know(request)
        assert isinstance(who, Identity)
        export = self._services.export_jobs.one(who.user.id, id_of(request, "export_id"))
        path = self._services.export_jobs.path(export)
        await self._must_still_see(who, export)
        assert export.name is not None
        assert export.media_type is not None
        headers = file_headers(export.name, export.media_type)
        may_go_on = partial(self._must_still_see, who, export)
        return WatchedFile(path, headers, may_go_on, draining=lambda: self._services.hub.draining)

    async def _must_still_see(self, who: Identity, export: Export) -> None:
        """The rights of now, not of when it was made: also to what a PDF was generated from. Raises `NotFound`."""
        if export.kind == "artifact":
            await self._services.ask(GetArtifact(who, export.subject_id, with_content=False))
        for thread_id in export.threads:
            await self._services.ask(GetThread(who, thread_id))


def _format(request: web.Request) -> ThreadFormat:
    asked = request.query.get("format", "json")
    form = SHORT_NAMES.get(asked, asked)
    if form not in THREAD_FORMATS:
        raise ValidationFailed({"format": [f"expected one of {', '.join(THREAD_FORMATS)}; got {asked[:40]!r}."]})
    return form
