"""The actor of a live channel: an application's own, for cursors, tickers, multiplayer state. Kept in memory only.

Like a thread's log it has offsets without gaps and an epoch, so clients recover; unlike it, it remembers a little, for
a little while, and costs the database nothing.
"""

import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pykka

from actors import limits
from actors.channel import Audience, ListPresent, Subscribe, Subscribed, Unsubscribe
from actors.publication import LivePublication, Publication, Publications
from actors.records import Identity
from actors.runtime import LoopActor, handles


@dataclass(frozen=True, slots=True)
class PublishLive:
    """Any JSON; `client_id` is empty for what comes by REST. Answers the offset."""

    identity: Identity
    client_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ReadLive:
    """Answers a `LivePage`: up to `limit` publications after `since` (before it when `reverse`), if remembered."""

    since: int | None
    limit: int
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class LivePage:
    epoch: str
    head: int
    publications: Sequence[Publication]
    is_whole: bool
    """Whether nothing between `since` and the first of them was forgotten."""


class LiveChannelActor(LoopActor):
    def __init__(self, channel: str, on_idle: Callable[["LiveChannelActor"], None]) -> None:
        super().__init__()
        self.channel = channel
        self._on_idle = on_idle
        self._epoch = secrets.token_hex(8)
        self._head = 0
        self._history: deque[tuple[float, Publication]] = deque(maxlen=limits.LIVE_HISTORY)
        self._audience = Audience(channel)

    @property
    def is_patient(self) -> bool:
        """Then who writes into it waits for who listens, and what is to be told does not pile up."""
        return self._audience.is_crowd

    @handles(Subscribe)
    def _subscribe(self, message: Subscribe) -> Subscribed:
        self._audience.join(message)
        return Subscribed(self._head, None, self._epoch)

    @handles(Unsubscribe)
    def _unsubscribe(self, message: Unsubscribe) -> None:
        self._audience.leave(message.connection)
        if not self._audience:
            self.stage.loop.call_later(limits.LIVE_SECONDS, self._look_idle)

    @handles(ListPresent)
    def _list_present(self, message: ListPresent) -> list[tuple[str, Identity]]:
        return self._audience.present()

    @handles(PublishLive)
    def _publish(self, message: PublishLive) -> int:
        self._head += 1
        item = LivePublication(self._head, message.data, message.client_id, message.identity)
        self._history.append((self.stage.loop.time(), item))
        self._audience.tell(Publications(self.channel, [item]))
        if not self._audience:
            self.stage.loop.call_later(limits.LIVE_SECONDS, self._look_idle)
        return self._head

    @handles(ReadLive)
    def _read(self, message: ReadLive) -> LivePage:
        self._forget()
        known = [item for _, item in self._history]
        first = known[0].offset if known else self._head + 1
        since = message.since
        if message.reverse:
            found = [item for item in reversed(known) if since is None or item.offset < since]
        else:
            found = [item for item in known if since is None or item.offset > since]
        is_whole = since is None or first - 1 <= since <= self._head
        return LivePage(self._epoch, self._head, found[: message.limit], is_whole)

    def _forget(self) -> None:
        oldest = self.stage.loop.time() - limits.LIVE_SECONDS
        while self._history and self._history[0][0] < oldest:
            self._history.popleft()

    def _look_idle(self) -> None:
        if self.actor_stopped.is_set() or self._audience or self._inbox:
            return
        self._forget()
        if not self._history:
            self._on_idle(self)
            self.stop()


class LiveChannels:
    """The way to each. Confined to the event loop."""

    def __init__(self, stage: Any) -> None:
        self._stage = stage
        self._channels: dict[str, LiveChannelActor] = {}

    def channel(self, name: str) -> "pykka.ActorRef[Any]":
        actor = self._channels.get(name)
        if actor is None:
            actor = self._channels[name] = LiveChannelActor(name, self._forget)
            self._stage.start(actor)
        return actor.actor_ref

    def tell_live(self, name: str, message: object) -> None:
        actor = self._channels.get(name)
        if actor is not None and not actor.actor_stopped.is_set():
            actor.actor_ref.tell(message)

    def _forget(self, actor: LiveChannelActor) -> None:
        if self._channels.get(actor.channel) is actor:
            del self._channels[actor.channel]

    def __len__(self) -> int:
        return len(self._channels)
