"""What a channel is to one session: the actor to subscribe to, what was missed, its history, who is present."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.channel import ListPresent, Subscribe, Subscribed
from actors.delivery.publication import Publication
from actors.runtime.reference import Ref
from server.realtime.protocol import codes as protocol
from server.realtime.protocol.codes import Refused


@dataclass(frozen=True, slots=True)
class Since:
    """The position up to which a client has received a channel."""

    epoch: str
    offset: int

    def is_of(self, epoch: str) -> bool:
        """A client that names no epoch takes the current one."""
        return self.epoch in ("", epoch)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    publications: Sequence[Publication]
    epoch: str
    head: int


class Source(Protocol):
    """One channel, as one session sees it."""

    expires_at: int | None
    """Seconds since 1970: a subscription that rests on a token of its own ends then."""

    async def subscribe(self, ask: Subscribe) -> Subscribed:
        """Raises where the identity may not see the channel, or `Refused` where there are too many of its kind."""
        ...

    async def present(self) -> list[tuple[str, Identity]]:
        """(client id, identity) of each connection that listens."""
        ...

    async def missed(self, since: Since, subscribed: Subscribed) -> list[Publication] | None:
        """Publications after `since`; None where they cannot be delivered in full."""
        ...

    async def history(self, since: Since | None, limit: int, *, reverse: bool) -> HistoryPage: ...

    async def publish(self, data: Any) -> None: ...


class LogSource(ABC):
    """A channel that has a log in the database: a thread's, or a user's own."""

    __slots__ = ()
    expires_at: int | None = None

    @property
    @abstractmethod
    def _epoch(self) -> str: ...

    @abstractmethod
    def actor(self) -> Ref:
        """Answers `Subscribe`."""

    async def subscribe(self, ask: Subscribe) -> Subscribed:
        return await subscribe(self.actor(), ask)

    async def missed(self, since: Since, subscribed: Subscribed) -> list[Publication] | None:
        head = subscribed.offset
        is_near = since.offset <= head <= since.offset + limits.RECOVERY_EVENTS
        if not since.is_of(self._epoch) or not is_near:
            return None
        return await self._between(since.offset, head) if since.offset < head else []

    @abstractmethod
    async def _between(self, offset: int, head: int) -> list[Publication] | None:
        """Publications after `offset`, up to `head`; None where they exceed a reply or are no longer kept."""

    async def history(self, since: Since | None, limit: int, *, reverse: bool) -> HistoryPage:
        if since is not None and not since.is_of(self._epoch):
            raise Refused(protocol.UNRECOVERABLE)
        return await self._page(since.offset if since is not None else 0, limit, reverse)

    @abstractmethod
    async def _page(self, offset: int, limit: int, reverse: bool) -> HistoryPage: ...


async def subscribe(actor: Ref, ask: Subscribe) -> Subscribed:
    subscribed: Subscribed = await actor.ask(ask)
    return subscribed


async def present(actor: Ref, ask: ListPresent) -> list[tuple[str, Identity]]:
    found: list[tuple[str, Identity]] = await actor.ask(ask)
    return found
