"""Server-sent events: the same log for everything that has `EventSource`, over one thread or many, an artifact,
or one's own.

`id:` is the cursor, `<epoch>-<offset>` of one thread or `<epoch>-<position>` of many; `Last-Event-ID` resumes from it.
Its epoch says over which threads it was made (`actors.epochs`): over others it is not served. What cannot be served is
answered in the stream itself (`event: resync`): EventSource cannot see headers.

No block is without data: some clients take a lone `retry:`, `id:` or empty line for an event. So comments are lines of
their own, and where nothing was missed an `event: ready` brings the first cursor.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from aiohttp import web

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.channel import Subscribe
from actors.delivery.connection import Close, Send
from actors.delivery.epochs import is_of_another_channel
from actors.delivery.feed import FeedActor, Replay, Watch
from actors.delivery.publication import EphemeralPublications, Publication, Publications
from actors.errors import NotFound, ShuttingDown, ValidationFailed, XpError
from actors.identifiers import is_id, new_id
from actors.resources.threads import ListThreads
from actors.resources.user_events import THREAD_JOINED
from actors.resources.users import User
from actors.runtime.loop_actor import Ref, Stage
from server.api.registry import must_have_scope
from server.api.services import Services
from server.auth.authentication import Authentication
from server.http.headers.peers import Peer, rate_limit_network
from server.http.middleware import HEADER, begin, correlation_id
from server.limits.rate_limits import draw, owner
from server.realtime.protocol import codes as protocol
from server.realtime.session.sources import leave, send_state
from server.realtime.sse.followed import Followed, FollowedArtifact, FollowedThreads, FollowedUser, Missed
from server.realtime.sse.transport import StreamTransport, in_pieces

_CURSOR = re.compile(r"([0-9A-Za-z]{1,64})-(\d{1,18})")
HEARTBEAT = b": \n"


class _Stream:
    """One client's stream, for the hub and for its feed."""

    transport = "sse"

    def __init__(
        self,
        services: Services,
        stage: Stage,
        identity: Identity,
        peer: Peer,
        transport: StreamTransport,
        followed: Followed,
    ) -> None:
        self._services = services
        self.client_id = new_id()
        self.identity = identity
        self.peer = peer
        self._states: list[EphemeralPublications] = []
        self._followed = followed
        self._cursors: _Cursors | None = None
        self._has_joined = False
        self._actor = FeedActor(
            transport,
            encode_one=self._encode,
            on_own=self._look_at_own,
            on_access_ended=self._access_ended,
            on_closed=self._closed,
            on_behind=self._behind,
            client_id=self.client_id,
        )
        self._feed: Ref = stage.start(self._actor)
        loop = stage.loop
        seconds = max(0.0, min(identity.expires_at - services.clock(), limits.TIMER_SECONDS))
        self._expiry = loop.call_later(seconds, self.close, *protocol.EXPIRED)
        services.hub.join(self)
        services.activity.came(identity.user.key, self)
        if services.hub.draining:  # since the request was let in
            self.close(*protocol.SHUTDOWN)

    async def follow(self, *, returning: bool) -> None:
        """Register with every channel; raises for one that the identity may not see."""
        if self._followed.may_grow:
            self._actor.own_channel = f"user:{self.identity.user.id}"
            self._services.users.join(self.identity.user, self._feed)
        actors = self._followed.actors()
        self._feed.tell(Watch(list(actors)))
        for actor in actors.values():
            ask = Subscribe(self.identity, self._feed, returning=returning, artifact_id=self._followed.artifact_id)
            subscribed = await actor.ask(ask)
            if subscribed.state is not None:
                self._states.append(subscribed.state)

    def start(self, missed: Missed, reason: str | None) -> None:
        """Write the missed events, or the reason why they cannot be delivered, then pass live events."""
        head = b"retry: %d\n" % limits.SSE_RETRY_MS
        cursor = f"{self.epoch}-{missed.head}"
        if reason is not None:
            written = resync(reason, cursor)
        else:
            written = b"".join(map(self._encode, missed.items)) or _ready(cursor)
        self._feed.tell(Replay(head + written, missed.position, self._states))
        self._states = []

    @property
    def epoch(self) -> str:
        return self._made_over().epoch

    def _made_over(self) -> "_Cursors":
        """For what is followed now: fewer threads than at first, where access to some has ended."""
        if self._cursors is None or self._cursors.count != self._actor.watches:
            epoch = self._followed.epoch(self._actor.channels)
            self._cursors = _Cursors(self._actor.watches, epoch, epoch.encode())
        return self._cursors

    def _encode(self, item: Publication) -> bytes:
        """What is passing has no place in the log, so no id: a reconnect resumes from the last one that had."""
        if not item.offset:
            return b"event: %b\ndata: %b\n\n" % (item.type.encode(), item.data)
        place = item.offset if self._followed.by_offset else item.position
        return b"id: %b-%d\nevent: %b\ndata: %b\n\n" % (
            self._made_over().wire, place, item.type.encode(), item.data,
        )  # fmt: skip

    def _look_at_own(self, publications: Publications) -> None:
        """A thread that its reader joins is not followed: the client comes back at once, and with a cursor that says
        that it knows nothing of it."""
        if not self._has_joined and any(item.type == THREAD_JOINED.name for item in publications.items):
            self._has_joined = True
            self.close(*protocol.EXPIRED)

    @property
    def channels(self) -> Sequence[str]:
        return self._actor.channels

    def renew(self, user: User) -> None:
        """A stream only reads: nothing in it has the name of its reader."""

    def ping(self) -> float | None:
        if not self._actor.is_open:
            return None
        self._feed.tell(Send(HEARTBEAT))
        return limits.SSE_HEARTBEAT_SECONDS

    def close(self, code: int, reason: str) -> None:
        if not self._actor.actor_stopped.is_set():
            self._feed.tell(Close(code, reason))

    def _access_ended(self, channel: str) -> bytes:
        kind, _, name = channel.partition(":")
        return resync("access ended", None, **{f"{kind}_id": name})

    def _closed(self, channels: Sequence[str]) -> None:
        for channel in channels:
            leave(self._services, channel, self._feed, self.identity)
        if self._actor.own_channel is not None:
            leave(self._services, self._actor.own_channel, self._feed, self.identity)

    def _behind(self, channel: str) -> None:
        send_state(self._services, channel, self._feed, self.identity)

    def end(self) -> None:
        self._expiry.cancel()
        self._services.hub.leave(self)
        self._services.activity.went(self.identity.user.key, self)
        self._actor.stop()


@dataclass(frozen=True, slots=True)
class _Cursors:
    """What the cursors of a stream begin with, as long as it follows so many channels."""

    count: int
    epoch: str
    wire: bytes


def _ready(cursor: str) -> bytes:
    """Nothing was missed: what follows comes after this cursor."""
    return b"id: %b\nevent: ready\ndata: %b\n\n" % (cursor.encode(), orjson.dumps({"cursor": cursor}))


def resync(reason: str, cursor: str | None, **more: str) -> bytes:
    """Ask the client to fetch the state again; with `cursor`, the stream continues from there."""
    written = orjson.dumps({"reason": reason, "reload": "/api/v1/threads", **more})
    identifier = b"id: %b\n" % cursor.encode() if cursor is not None else b""
    return b"%bevent: resync\ndata: %b\n\n" % (identifier, written)


class Streams:
    """The handlers of `/threads/{id}/events`, `/artifacts/{id}/events`, `/events` and `/users/me/events`."""

    def __init__(self, services: Services, stage: Stage, authentication: Authentication) -> None:
        self._services = services
        self._stage = stage
        self._authentication = authentication

    async def of_thread(self, request: web.Request) -> web.StreamResponse:
        identity = await self._identify(request)
        thread_id = request.match_info["thread_id"]
        if not is_id(thread_id):
            raise NotFound("resource", request.path[:200])
        _must_know(request, {"cursor", "padding"})
        return await self._serve(
            request, identity, FollowedThreads(self._services, identity, [thread_id], by_offset=True)
        )

    async def of_artifact(self, request: web.Request) -> web.StreamResponse:
        identity = await self._identify(request)
        artifact_id = request.match_info["artifact_id"]
        if not is_id(artifact_id):
            raise NotFound("resource", request.path[:200])
        _must_know(request, {"cursor", "padding"})
        return await self._serve(request, identity, FollowedArtifact(self._services, identity, artifact_id))

    async def of_threads(self, request: web.Request) -> web.StreamResponse:
        identity = await self._identify(request)
        _must_know(request, {"cursor", "padding", "threads"})
        wanted = request.query.get("threads", "")
        thread_ids = list(dict.fromkeys(wanted.split(","))) if wanted else await self._mine(identity)
        if not all(map(is_id, thread_ids)):
            raise ValidationFailed({"threads": ["expected ids of threads, joined by commas."]})
        if len(thread_ids) > limits.SSE_THREADS:
            sentence = f"may be at most {limits.SSE_THREADS} threads; these are {len(thread_ids)}."
            raise ValidationFailed({"threads": [sentence]})
        followed = FollowedThreads(self._services, identity, thread_ids, by_offset=False, may_grow=not wanted)
        return await self._serve(request, identity, followed)

    async def of_oneself(self, request: web.Request) -> web.StreamResponse:
        identity = await self._identify(request)
        _must_know(request, {"cursor", "padding"})
        return await self._serve(request, identity, FollowedUser(self._services, identity))

    async def _identify(self, request: web.Request) -> Identity:
        """Who asks, from a page and by a key that may, and not too often."""
        self._authentication.require_same_site(request)
        identity = await self._authentication.of(request)
        if self._services.limiter is not None:
            draw(self._services.limiter.policy("read"), request, owner(identity))
        must_have_scope(identity, "read", "A stream")
        return identity

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

    async def _serve(self, request: web.Request, identity: Identity, followed: Followed) -> web.StreamResponse:
        hub, peer = self._services.hub, self._authentication.peer(request).at_rest()
        if hub.draining:
            raise ShuttingDown("The server is shutting down; retry in a moment.")
        with hub.users.one(identity.user.key), hub.addresses.one(rate_limit_network(peer.address)):
            return await self._stream(request, identity, peer, followed)

    async def _stream(
        self, request: web.Request, identity: Identity, peer: Peer, followed: Followed
    ) -> web.StreamResponse:
        await followed.must_see()  # before the response starts: what is refused is a problem, not a stream
        given = request.headers.get("Last-Event-ID") or request.query.get("cursor")
        response = web.StreamResponse(headers=_HEADERS | {HEADER: correlation_id.get()})
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
        stream = _Stream(self._services, self._stage, identity, peer, transport, followed)
        try:
            await stream.follow(returning=given is not None)
            await self._authentication.of(request)  # rights may have changed before the hub knew of this stream
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


_FROM_NOW = 2**62
_OTHER_THREADS = "the cursor was made over other threads than those that are followed now"
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}


def _must_know(request: web.Request, known: set[str]) -> None:
    unknown = request.query.keys() - known
    if unknown:
        raise ValidationFailed({name: ["This query parameter is not known here."] for name in unknown})
    for name in known & request.query.keys():
        if len(request.query.getall(name)) > 1:
            raise ValidationFailed({name: ["This query parameter was given more than once."]})
    if request.query.get("padding", "true") not in ("true", "false"):
        raise ValidationFailed({"padding": ["expected `true` or `false`."]})
