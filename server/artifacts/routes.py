"""Routes of artifacts as files, and of the pages that links show."""

from functools import partial
from typing import Final

import orjson
from aiohttp import web

from actors.auth.identity import Identity
from actors.errors import Conflict, NotFound, Unavailable, ValidationFailed
from actors.resources.artifacts.shares import CountView, GetShare, Share, must_be_good
from server.api.endpoints import Endpoint
from server.artifacts.exporting import Source, html_page
from server.artifacts.figures import SHOWN_IN, with_images
from server.artifacts.page import POLICY
from server.artifacts.printing import FORMATS, SHORT_NAMES, Format, printed
from server.artifacts.sources import source_of
from server.exports.answers import at_once, headers_of
from server.files.downloads.signed_urls import SignedUrl
from server.files.transfer_end import by_url, for_users, handler_of
from server.files.transfers import Transfers, id_of
from server.http.middleware import HEADER, correlation_id
from server.resources.artifacts import rendering

EXPORT_ARTIFACT: Final = Endpoint("export_artifact", rate="costly", parameters=("format", "version", "chart"))
READ_SHARED: Final = Endpoint("read_shared_artifact", rate="costly", takes_signature=True)


def routes(transfers: Transfers) -> list[web.RouteDef]:
    exports = Exports(transfers)
    export = handler_of(EXPORT_ARTIFACT, transfers, for_users(exports.export))
    shared = handler_of(READ_SHARED, transfers, by_url(exports.shared))
    return [
        web.get("/api/v1/artifacts/{artifact_id:[^/]{25}}/export", export),
        web.get("/api/v1/artifacts/shared/{share_id:[^/]{25}}", shared),
    ]


class Exports:
    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers

    async def export(self, request: web.Request, who: Identity) -> web.Response:
        form, chart, services = _format(request), request.query.get("chart"), self._transfers.services
        source = await source_of(services.ask, who, id_of(request, "artifact_id"), _number(request))
        compute = partial(services.compute, who)
        async with at_once():
            if form in SHOWN_IN:
                source = await with_images(services.ask, services.files.blobs, who, source, compute)
            made = await printed(services.printer, source, form, chart, compute=compute)
        return web.Response(body=made.body, headers=headers_of(made))

    async def shared(self, request: web.Request, url: SignedUrl) -> web.Response:
        """A page, or JSON for programs. The rights are those of the user who made the link."""
        identity = await self._transfers.identity_of(url)
        share = await self._share(id_of(request, "share_id"), identity)
        source = await source_of(self._transfers.services.ask, identity, share.artifact_id, share.version)
        if request.method == "GET":
            await self._transfers.services.write(CountView(share.id))
        if _wants_json(request):
            body = orjson.dumps({**rendering.version(source.version), "type": source.artifact.type})
            return web.Response(body=body, content_type="application/json", headers=_headers())
        page = await self._page(identity, source)
        policy = {"Content-Security-Policy": f"{POLICY}; sandbox allow-popups; frame-ancestors 'none'"}
        return web.Response(body=page, content_type="text/html", charset="utf-8", headers={**_headers(), **policy})

    async def _page(self, identity: Identity, source: Source) -> bytes:
        """With its charts drawn; with their data where they cannot be drawn now."""
        services = self._transfers.services
        compute = partial(services.compute, identity)
        source = await with_images(services.ask, services.files.blobs, identity, source, compute)
        try:
            async with at_once():
                return (await printed(services.printer, source, "html", compute=compute)).body
        except (Conflict, Unavailable):
            return (await services.compute(identity, html_page, source)).encode()

    async def _share(self, share_id: str, identity: Identity) -> Share:
        """Raises `NotFound`, also for one of another user, and `Forbidden` for one that has ended."""
        share = await self._transfers.services.ask(GetShare(share_id))
        if share.creator.key != identity.user.key:
            raise NotFound("link", share_id)
        must_be_good(share, int(self._transfers.services.clock() * 1000))
        return share


def _headers() -> dict[str, str]:
    return {HEADER: correlation_id.get(), "X-Robots-Tag": "noindex"}


def _format(request: web.Request) -> Format:
    asked = request.query.get("format", "json")
    form = SHORT_NAMES.get(asked, asked)
    if form not in FORMATS:
        raise ValidationFailed({"format": [f"expected one of {', '.join(FORMATS)}; got {asked[:40]!r}."]})
    return form


def _number(request: web.Request) -> int | None:
    given = request.query.get("version")
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 10 and int(given)):
        raise ValidationFailed({"version": [f"expected the number of a version; got {given[:40]!r}."]})
    return int(given)


def _wants_json(request: web.Request) -> bool:
    return request.headers.get("Accept", "").partition(",")[0].strip() == "application/json"
