"""The end of the pipeline for bytes of files, exports and shared artifacts: by a user's credential, or a signed URL."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from actors.auth.identity import Identity
from actors.errors import Forbidden, ShuttingDown
from server.api import pipeline
from server.api.endpoints import Endpoint
from server.api.registry import Call
from server.files.downloads.signed_urls import SignedUrl, is_signed
from server.files.transfers import ARRIVAL, Reader, Transfers
from server.http.request_end import EndpointEnd, Serve
from server.limits.rate_classes import Limited
from server.limits.rate_limits import Subject

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ServeReader = Callable[[web.Request, Reader], Awaitable[web.StreamResponse]]
ServeUser = Callable[[web.Request, Identity], Awaitable[web.StreamResponse]]
ServeUrl = Callable[[web.Request, SignedUrl], Awaitable[web.StreamResponse]]


def handler_of(endpoint: Endpoint, transfers: Transfers, serve: ServeReader) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        end = _TransferEnd(request, transfers, endpoint, serve)
        return await pipeline.run(endpoint, transfers.services, end)

    return handle


def for_users(serve: ServeUser) -> ServeReader:
    """Of an endpoint that takes no signed URL."""

    async def serve_user(request: web.Request, who: Reader) -> web.StreamResponse:
        assert isinstance(who, Identity)
        return await serve(request, who)

    return serve_user


def by_url(serve: ServeUrl) -> ServeReader:
    """Of an endpoint that takes signed URLs alone."""

    async def serve_url(request: web.Request, who: Reader) -> web.StreamResponse:
        if not isinstance(who, SignedUrl):
            raise _unsigned()
        return await serve(request, who)

    return serve_url


def _unsigned() -> Forbidden:
    return Forbidden("This URL works by its signature alone; get a signed one.", code="signature_invalid")


class _TransferEnd(EndpointEnd):
    __slots__ = ("_transfers", "_url")

    def __init__(self, request: web.Request, transfers: Transfers, endpoint: Endpoint, serve: ServeReader) -> None:
        super().__init__(request, endpoint, transfers.services, transfers.authentication, self._serve_reader(serve))
        self._transfers = transfers
        self._url: SignedUrl | None = None

    async def identify(self) -> Identity | None:
        """None for a signed URL: its user is not the one who asks, and is looked up after the limits."""
        request, endpoint = self.request, self.endpoint
        request[ARRIVAL] = self._transfers.locks.arrive()
        if endpoint.takes_signature and is_signed(request.query):
            keys = self._transfers.url_keys.keys
            self._url = keys.verify(request.method, request.path, request.query, self.services.clock())
            return None
        if endpoint.access == "open":
            raise _unsigned()
        return await super().identify()

    def subject(self, target: Limited, who: Identity | None) -> Subject:
        """Holders of the URLs of one user have a rate of their own, together."""
        return super().subject(target, who) if self._url is None else ("signed", self._url.user_id)

    async def read(self, who: Identity | None) -> Call:
        """The head; bytes are read while they are stored, as long as their sender may send them."""
        if self.endpoint.rate == "write" and self.services.draining:
            raise ShuttingDown("The server is shutting down; go on with the upload in a moment.")
        return await super().read(who)

    def _serve_reader(self, serve: ServeReader) -> Serve:
        return lambda request, call: serve(request, call.identity if self._url is None else self._url)
