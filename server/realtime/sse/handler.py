"""The handlers of server-sent events: what is followed, from which cursor on."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.epochs import is_of_another_channel
from actors.errors import NotFound, ShuttingDown, ValidationFailed, XpError
from actors.identifiers import is_id
from actors.resources.threads import ListThreads
from actors.resources.user_events import GetUserLogHeads
from actors.runtime.loop_actor import Stage
from server.api import pipeline
from server.api.endpoints import Endpoint
from server.api.registry import Call
from server.api.services import Services
from server.auth.authentication import Authentication
from server.http.headers.peers import Peer, rate_limit_network
from server.http.middleware import HEADER, begin, correlation_id
from server.http.request_end import EndpointEnd
from server.realtime.sse.followed import Followed, FollowedArtifact, FollowedThreads, FollowedUser, Missed
from server.realtime.sse.stream import HEARTBEAT, Stream, resync
from server.realtime.sse.transport import StreamTransport, in_pieces

FOLLOW_THREAD: Final = Endpoint("follow_thread", parameters=("cursor", "padding"))
FOLLOW_ARTIFACT: Final = Endpoint("follow_artifact", parameters=("cursor", "padding"))
FOLLOW_THREADS: Final = Endpoint("follow_threads", parameters=("cursor", "padding", "threads"))
FOLLOW_ME: Final = Endpoint("follow_me", parameters=("cursor", "padding"))

Find = Callable[[web.Request, Identity], Awaitable[Followed]]
"""What a request follows."""

_CURSOR = re.compile(r"([0-9A-Za-z]{1,64})-(\d{1,18})")
_FROM_NOW = 2**62
_OTHER_THREADS = "the cursor was made over other threads than those that are followed now"
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}


def stream_headers() -> dict[str, str]:
    return _HEADERS | {HEADER: correlation_id.get()}


class StreamEnd(EndpointEnd):
    async def identify(self) -> Identity | None:
        self.authentication.require_same_site(self.request)
        return await super().identify()


class Streams:
    """The handlers of `/threads/{id}/events`, `/artifacts/{id}/events`, `/events` and `/users/me/events`."""

    def __init__(self, services: Services, stage: Stage, authentication: Authentication) -> None:
        self._services = services
        self._stage = stage
        self._authentication = authentication

    async def of_thread(self, request: web.Request) -> web.StreamResponse:
        return await self._run(FOLLOW_THREAD, request, self._followed_thread)

    async def of_artifact(self, request: web.Request) -> web.StreamResponse:
        return await self._run(FOLLOW_ARTIFACT, request, self._followed_artifact)

    async def of_threads(self, request: web.Request) -> web.StreamResponse:
        return await self._run(FOLLOW_THREADS, request, self._followed_threads)

    async def of_oneself(self, request: web.Request) -> web.StreamResponse:
        return await self._run(FOLLOW_ME, request, self._followed_user)

    async def _run(self, endpoint: Endpoint, request: web.Request, find: Find) -> web.StreamResponse:
        async def serve(request: web.Request, call: Call) -> web.StreamResponse:
            return await self._serve(request, call, await find(request, call.identity))

        end = StreamEnd(request, endpoint, self._services, self._authentication, serve)
        return await pipeline.run(endpoint, self._services, end)

    async def _followed_thread(self, request: web.Request, identity: Identity) -> Followed:
        thread_id = _id_of(request, "thread_id")
        return FollowedThreads(self._services, identity, [thread_id], by_offset=True)

    async def _followed_artifact(self, request: web.Request, identity: Identity) -> Followed:
        return FollowedArtifact(self._services, identity, _id_of(request, "artifact_id"))

    async def _followed_user(self, request: web.Request, identity: Identity) -> Followed:
        return FollowedUser(self._services, identity)

    async def _followed_threads(self, request: web.Request, identity: Identity) -> Followed:
        wanted = request.query.get("threads", "")
        listed_at = None if wanted else await self._head_of_own(identity)
        thread_ids = list(dict.fromkeys(wanted.split(","))) if wanted else await self._mine(identity)
        if not all(map(is_id, thread_ids)):
            raise ValidationFailed({"threads": ["expected ids of threads, joined by commas."]})
        if len(thread_ids) > limits.SSE_THREADS:
            sentence = f"may be at most {limits.SSE_THREADS} threads; these are {len(thread_ids)}."
            raise ValidationFailed({"threads": [sentence]})
        return FollowedThreads(self._services, identity, thread_ids, by_offset=False, listed_at=listed_at)

    async def _head_of_own(self, identity: Identity) -> int:
        """Where the user's own log stands, which has the threads that are joined."""
        return (await self._services.ask(GetUserLogHeads([identity.user.key]))).get(identity.user.key, 0)

    async def _mine(self, identity: Identity) -> list[str]:
        """Without a choice: the threads in which something happened last."""
        found: list[str] = []
        before: int | None = None
        while len(found) < limits.SSE_THREADS:
            page = await self._services.ask(
                ListThreads(
                    identity, limit=limits.SSE_THREADS - len(found), before=before, status=None, everything=False
                )
            )
            found += [thread.id for thread in page.items]
            if page.next_cursor is None:
                break
            before = int(page.next_cursor)
        return found

    async def _serve(self, request: web.Request, call: Call, followed: Followed) -> web.StreamResponse:
        padding = request.query.get("padding", "false")
        if padding not in ("true", "false"):
            raise ValidationFailed({"padding": ["expected `true` or `false`."]})
        hub, identity, peer = self._services.hub, call.identity, call.peer.at_rest()
        if hub.draining:
            raise ShuttingDown("The server is shutting down; retry in a moment.")
        with hub.users.one(identity.user.key), hub.addresses.one(rate_limit_network(peer.address)):
            return await self._stream(request, identity, peer, followed)

    async def _stream(
        self, request: web.Request, identity: Identity, peer: Peer, followed: Followed
    ) -> web.StreamResponse:
        await followed.must_see()  # before the response starts: what is refused is a problem, not a stream
        given = request.headers.get("Last-Event-ID") or request.query.get("cursor")
        response = web.StreamResponse(headers=stream_headers())
        in_pieces(request, response)
        try:
            writer = await begin(request, response)
            assert writer is not None
            padded = request.query.get("padding") == "true"
            await response.write(b":" + b" " * limits.SSE_PADDING_BYTES + b"\n" if padded else HEARTBEAT)
        except ConnectionError:  # the client has disconnected meanwhile
            return web.Response()
        ended = asyncio.Event()
        transport = StreamTransport(writer, ended)
        stream = Stream(self._services, self._stage, identity, peer, transport, followed)
        try:
            await stream.follow(returning=given is not None)
            await self._authentication.must_still_be(request, identity)  # before the hub knew of this stream
            missed, reason = await self._missed(followed, stream.epoch, given)
            if given is not None:
                self._services.measures.recovered(complete=reason is None)
            stream.start(missed, reason)
            await ended.wait()
        except XpError as error:  # the response has begun: the stream itself has to tell
            transport.write([resync(error.detail, None)])
        finally:
            stream.end()
        return response

    async def _missed(self, followed: Followed, epoch: str, given: str | None) -> tuple[Missed, str | None]:
        """The events after the cursor, and the reason if they cannot be delivered in full."""
        match = _CURSOR.fullmatch(given) if given else None
        after = int(match[2]) if match else _FROM_NOW
        missed = await followed.after(after)
        if given is None:
            return missed, None
        if match is None:
            return missed, "the cursor is not one of ours"
        if match[1] != epoch:
            is_ours = is_of_another_channel(match[1], self._services.epoch)
            return missed, _OTHER_THREADS if is_ours else "the log is another one than the cursor was made for"
        if after > missed.head:
            return missed, "the cursor is ahead of the log"
        if missed.more or sum(len(item.data) for item in missed.items) > limits.RECOVERY_BYTES:
            return missed, f"more than {limits.RECOVERY_EVENTS} events were missed"
        return missed, None


def _id_of(request: web.Request, name: str) -> str:
    """Raises `NotFound`."""
    found = request.match_info[name]
    if not is_id(found):
        raise NotFound("resource", request.path[:200])
    return found
