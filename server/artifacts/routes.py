"""Routes of artifacts as files, and of the pages that links show."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import orjson
from aiohttp import web

from actors.auth.identity import Identity
from actors.errors import Forbidden, NotFound, ValidationFailed
from actors.resources.artifacts.data_sets import ListData
from actors.resources.artifacts.queries import GetArtifact, GetArtifactVersion
from actors.resources.artifacts.shares import CountView, GetShare, Share, must_be_good
from server.artifacts.exporting import FORMATS, Exported, Format, Source, exported, html_page
from server.artifacts.page import POLICY
from server.files.downloads.signed_urls import SignedUrl
from server.files.names import content_disposition
from server.files.transfers import Transfers, id_of, must_know
from server.http.middleware import HEADER, correlation_id
from server.resources.artifacts import rendering

_one_thread: Final = ThreadPoolExecutor(1, thread_name_prefix="exporting")
"""Parsers hold the interpreter lock: more OS threads would only take turns from the event loop."""
SIGNED_BY: Final = ("user", "expires", "key", "signature")
SHARED: Final = "/api/v1/artifacts/shared/{share_id}"


def routes(transfers: Transfers) -> list[web.RouteDef]:
    exports = Exports(transfers)
    return [
        web.get("/api/v1/artifacts/{artifact_id:[^/]{25}}/export", exports.export),
        web.get("/api/v1/artifacts/shared/{share_id:[^/]{25}}", exports.shared),
    ]


class Exports:
    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers

    async def export(self, request: web.Request) -> web.Response:
        who = await self._transfers.reader(request, "costly")
        must_know(request, "format", "version")
        assert isinstance(who, Identity)  # a signed URL has more parameters
        form = _format(request)
        source = await self._source(who, id_of(request, "artifact_id"), _number(request))
        made = await asyncio.get_running_loop().run_in_executor(_one_thread, exported, source, form)
        return _download(made)

    async def _source(self, identity: Identity, artifact_id: str, number: int | None) -> Source:
        ask = self._transfers.services.ask
        sets = await ask(ListData(identity, artifact_id, with_rows=True))
        data = {each.name: each.table for each in sets}
        if number is not None:
            artifact, version = await ask(GetArtifactVersion(identity, artifact_id, number))
            return Source(artifact, version, data)
        artifact = await ask(GetArtifact(identity, artifact_id))
        assert artifact.newest is not None
        return Source(artifact, artifact.newest, data)

    async def shared(self, request: web.Request) -> web.Response:
        """A page, or JSON for programs. The rights are those of the user who made the link."""
        url = await self._transfers.reader(request, "costly")
        must_know(request, *SIGNED_BY)
        if not isinstance(url, SignedUrl):
            raise Forbidden("This page is read by a signed link.", code="signature_invalid")
        identity = await self._transfers.identity_of(url)
        share = await self._share(id_of(request, "share_id"), identity)
        source = await self._source(identity, share.artifact_id, share.version)
        if request.method == "GET":
            await self._transfers.services.write(CountView(share.id))
        if _wants_json(request):
            body = orjson.dumps({**rendering.version(source.version), "type": source.artifact.type})
            return web.Response(body=body, content_type="application/json", headers=_headers())
        text = await asyncio.get_running_loop().run_in_executor(_one_thread, html_page, source)
        policy = {"Content-Security-Policy": f"{POLICY}; sandbox allow-popups; frame-ancestors 'none'"}
        return web.Response(text=text, content_type="text/html", headers={**_headers(), **policy})

    async def _share(self, share_id: str, identity: Identity) -> Share:
        """Raises `NotFound`, also for one of another user, and `Forbidden` for one that has ended."""
        share = await self._transfers.services.ask(GetShare(share_id))
        if share.creator.key != identity.user.key:
            raise NotFound("link", share_id)
        must_be_good(share, int(self._transfers.services.clock() * 1000))
        return share


def _headers() -> dict[str, str]:
    return {HEADER: correlation_id.get(), "X-Robots-Tag": "noindex"}


def _download(made: Exported) -> web.Response:
    headers = {
        HEADER: correlation_id.get(),
        "Content-Type": made.media_type,
        "Content-Disposition": content_disposition(made.name, inline=False),
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return web.Response(body=made.body, headers=headers)


def _format(request: web.Request) -> Format:
    form = request.query.get("format", "json")
    if form not in FORMATS:
        raise ValidationFailed({"format": [f"expected one of {', '.join(FORMATS)}; got {form[:40]!r}."]})
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
