"""Server-sent events: the same log for everything that has `EventSource`, over one thread or many, an artifact,
or the user's own log.

`id:` is the cursor, `<epoch>-<offset>` of one thread or `<epoch>-<position>` of many; `Last-Event-ID` resumes from it.
Its epoch says over which threads it was made (`actors.epochs`): over others it is not served. What cannot be served is
answered in the stream itself (`event: resync`): EventSource cannot see headers.

No block is without data: some clients take a lone `retry:`, `id:` or empty line for an event. So comments are lines of
their own, and where nothing was missed an `event: ready` brings the first cursor.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.channel import Subscribe
from actors.delivery.connection import Close, Send
from actors.delivery.feed import FeedActor, Replay, Watch
from actors.delivery.publication import EphemeralPublications, Publication, Publications
from actors.identifiers import new_id
from actors.resources.user_events import THREAD_JOINED
from actors.resources.users import User
from actors.runtime.loop_actor import Ref, Stage
from server.api.services import Services
from server.http.headers.peers import Peer
from server.realtime.protocol import codes as protocol
from server.realtime.session.sources import leave, renew, send_state
from server.realtime.sse.followed import Followed, Missed
from server.realtime.sse.transport import StreamTransport

_CURSOR = re.compile(r"([0-9A-Za-z]{1,64})-(\d{1,18})")
HEARTBEAT = b": \n"


class Stream:
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
        self._cursors: Cursors | None = None
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
        if services.watches.is_on:
            services.watches.came(self)
        services.activity.came(identity.user.key, self)
        if services.hub.draining:  # since the request was let in
            self.close(*protocol.SHUTDOWN)

    async def follow(self, *, returning: bool) -> None:
        """Register with every channel; raises for one that the identity may not see."""
        if self._followed.may_grow:
            self._actor.own_channel = f"user:{self.identity.user.id}"
            self._services.users.join(self.identity.user, self._feed)
            if await self._followed.has_grown():
                self._come_back()
        channels = self._followed.channels
        self._feed.tell(Watch(channels))
        for channel in channels:
            ask = Subscribe(self.identity, self._feed, returning=returning, artifact_id=self._followed.artifact_id)
            subscribed = await self._followed.actor(channel).ask(ask)
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

    def _made_over(self) -> "Cursors":
        """For what is followed now: fewer threads than at first, where access to some has ended."""
        if self._cursors is None or self._cursors.count != self._actor.watches:
            epoch = self._followed.epoch(self._actor.channels)
            self._cursors = Cursors(self._actor.watches, epoch, epoch.encode())
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
        if any(item.type == THREAD_JOINED.name for item in publications.items):
            self._come_back()

    def _come_back(self) -> None:
        """A thread that its reader joins is not followed: the client comes back at once, and with a cursor that says
        that it knows nothing of it."""
        if not self._has_joined:
            self._has_joined = True
            self.close(*protocol.EXPIRED)

    @property
    def channels(self) -> Sequence[str]:
        return self._actor.channels

    def renew(self, user: User) -> None:
        self.identity = self.identity.of_user(user)
        for channel in self.channels:
            renew(self._services, channel, self._feed, user)

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
        if self._services.watches.is_on:
            self._services.watches.left(self)
        self._expiry.cancel()
        self._services.hub.leave(self)
        self._services.activity.went(self.identity.user.key, self)
        self._actor.stop()


@dataclass(frozen=True, slots=True)
class Cursors:
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
