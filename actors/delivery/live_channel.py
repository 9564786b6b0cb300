"""The actor of a live channel: an application's own, for cursors, tickers, multiplayer state. Kept in memory only.

Like a thread's log it has offsets without gaps and an epoch, so clients recover; unlike it, it remembers a little, for
a little while, and costs the database nothing.
"""

import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from actors.asks import Asks
from actors.auth.identity import Identity
from actors.delivery.channel import Audience, ListPresent, Renew, Subscribe, Subscribed, Unsubscribe
from actors.delivery.live_memory import History, LiveMemory
from actors.delivery.publication import LivePublication, Publication, Publications
from actors.runtime.loop_actor import LoopActor, handles


@dataclass(frozen=True, slots=True)
class PublishLive(Asks[int]):
    """Any bytes, and their form in JSON frames. Answers the offset."""

    identity: Identity
    client_id: str
    data: bytes
    as_json: bytes
    is_base64: bool = False
    """Whether `as_json` holds the data as base64, for they are no JSON."""


@dataclass(frozen=True, slots=True)
class ReadLive(Asks["LivePage"]):
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


class Keeper(Protocol):
    """Who has started the actor, and stops it once it is idle."""

    memory: LiveMemory

    def is_used(self, actor: "LiveChannelActor") -> None:
        """It has subscribers."""
        ...

    def is_idle(self, actor: "LiveChannelActor") -> None:
        """Without subscribers; each publication restarts that time."""
        ...


class LiveChannelActor(LoopActor):
    def __init__(self, channel: str, made_by: int, keeper: Keeper) -> None:
        """`made_by` is the key of the user who published or subscribed first."""
        super().__init__()
        self.channel = channel
        self.made_by = made_by
        self._keeper = keeper
        self._epoch = secrets.token_hex(8)
        self._head = 0
        self._history: History = deque()
        self._audience = Audience(channel)

    @property
    def is_low_priority(self) -> bool:
        """Writers then wait for readers (backpressure), so that publications do not pile up."""
        return self._audience.is_crowd

    @property
    def is_needed(self) -> bool:
        """It has subscribers, or a message is on its way."""
        return bool(self._audience or self._inbox)

    @handles(Subscribe)
    def _subscribe(self, message: Subscribe) -> Subscribed:
        self._audience.join(message)
        self._keeper.is_used(self)
        return Subscribed(self._head, None, self._epoch)

    @handles(Unsubscribe)
    def _unsubscribe(self, message: Unsubscribe) -> None:
        self._audience.leave(message.connection)
        if not self._audience:
            self._keeper.is_idle(self)

    @handles(Renew)
    def _renew(self, message: Renew) -> None:
        self._audience.renew(message)

    @handles(ListPresent)
    def _list_present(self, message: ListPresent) -> list[tuple[str, Identity]]:
        return self._audience.present()

    @handles(PublishLive)
    def _publish(self, message: PublishLive) -> int:
        self._head += 1
        item = LivePublication(
            self._head, message.data, message.client_id, message.identity,
            as_json=message.as_json, is_base64=message.is_base64,
        )  # fmt: skip
        self._keeper.memory.keep(self._history, item, self.stage.loop.time())
        self._audience.tell(Publications(self.channel, [item]))
        if not self._audience:
            self._keeper.is_idle(self)
        return self._head

    @handles(ReadLive)
    def _read(self, message: ReadLive) -> LivePage:
        known = [kept.item for kept in self._history]
        first = known[0].offset if known else self._head + 1
        since = message.since
        if message.reverse:
            found = [item for item in reversed(known) if since is None or item.offset < since]
        else:
            found = [item for item in known if since is None or item.offset > since]
        is_whole = since is None or first - 1 <= since <= self._head
        return LivePage(self._epoch, self._head, found[: message.limit], is_whole)

    def on_stop(self) -> None:
        self._keeper.memory.forget_all(self._history)
