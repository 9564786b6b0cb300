"""Routes of threads as files, and of the files that jobs have made."""

from functools import partial
from typing import Final

from aiohttp import web

from actors.auth.identity import Identity
from actors.errors import ValidationFailed
from actors.resources.artifacts.queries import GetArtifact
from actors.resources.exports import Export
from actors.resources.threads import GetThread
from server.api.endpoints import Endpoint
from server.artifacts.printing import SHORT_NAMES
from server.exports.answers import at_once, file_headers, headers_of
from server.exports.sending import WatchedFile
from server.exports.threads import THREAD_FORMATS, ThreadFormat, exported_thread, most_of, transcript_of
from server.files.transfer_end import for_users, handler_of
from server.files.transfers import Transfers, id_of

EXPORT_THREAD: Final = Endpoint("export_thread", rate="costly", parameters=("format",))
GET_EXPORT_CONTENT: Final = Endpoint("get_export_content")


def routes(transfers: Transfers) -> list[web.RouteDef]:
    exports = Exports(transfers)
    thread = handler_of(EXPORT_THREAD, transfers, for_users(exports.thread))
    content = handler_of(GET_EXPORT_CONTENT, transfers, for_users(exports.content))
    return [
        web.get("/api/v1/threads/{thread_id:[^/]{25}}/export", thread),
        web.get("/api/v1/exports/{export_id:[^/]{25}}/content", content),
    ]


class Exports:
    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers
        self._services = transfers.services

    async def thread(self, request: web.Request, who: Identity) -> web.Response:
        form = _format(request)
        async with at_once():
            most = most_of(form, at_once=True)
            transcript = await transcript_of(self._services.ask, who, id_of(request, "thread_id"), most)
            made = await exported_thread(
                self._services.printer, transcript, form, compute=partial(self._services.compute, who)
            )
        return web.Response(body=made.body, headers=headers_of(made))

    async def content(self, request: web.Request, who: Identity) -> web.StreamResponse:
        export = self._services.export_jobs.one(who.user.id, id_of(request, "export_id"))
        path = self._services.export_jobs.path(export)
        await self._must_still_see(who, export)
        assert export.name is not None
        assert export.media_type is not None
        headers = file_headers(export.name, export.media_type)

        async def may_go_on() -> None:
            await self._must_still_see(await self._transfers.must_still_be(request, who), export)

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
