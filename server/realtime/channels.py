"""Subscriptions of one session: join a thread's channel without losing or repeating an event, and read its history."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from actors import limits
from actors.connection import Leave, OpenGate, ShutGate
from actors.events import LogPage
from actors.identifiers import is_id
from actors.publication import Publication
from actors.thread import Subscribe, Subscribed, Unsubscribe
from server.realtime import protocol
from server.realtime.protocol import Refused
from server.render import publications

if TYPE_CHECKING:
    from server.realtime.session import Session


def thread_of(channel: object) -> str:
    """The thread that a channel is of; raises `Refused` for any other name."""
    if not isinstance(channel, str) or not channel:
        raise Refused(protocol.BAD_COMMAND, "bad request: `channel` must be a name")
    if len(channel) > limits.CHANNEL_CHARS:
        raise Refused(protocol.BAD_COMMAND, f"bad request: a channel has at most {limits.CHANNEL_CHARS} characters")
    kind, _, name = channel.partition(":")
    if kind != "thread" or not is_id(name):
        raise Refused(protocol.UNKNOWN_CHANNEL)
    return name


class Channels:
    def __init__(self, session: "Session") -> None:
        self._session = session
        self._joined: dict[str, object] = {}
        """Channel → the subscribe that stands: one that was left while it was answered has no more say."""

    def forget(self, channel: str) -> None:
        self._joined.pop(channel, None)

    async def subscribe(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        """Register first, then read the log up to the head that registering answered, then let live events through."""
        channel = body.get("channel")
        thread_id = thread_of(channel)
        assert isinstance(channel, str)
        if channel in self._joined:
            raise Refused(protocol.ALREADY_SUBSCRIBED)
        if len(self._joined) >= limits.CHANNELS_PER_CONNECTION:
            raise Refused(protocol.LIMIT_EXCEEDED, f"limit exceeded: {limits.CHANNELS_PER_CONNECTION} channels")
        since, flag = _since(body), body.get("flag") or 0
        if type(flag) is not int:
            raise Refused(protocol.BAD_COMMAND, "bad request: `flag` must be an integer")
        this = self._joined[channel] = object()
        try:
            opening = await self._join(number, channel, thread_id, since, flag)
            if self._joined.get(channel) is this:
                self._session.connection.tell(opening)
            else:
                self._session.send(opening.wire)
        except BaseException:
            if self._joined.get(channel) is this:
                self._leave(channel, thread_id)
            raise
        return None

    async def _join(self, number: int, channel: str, thread_id: str, since: "_Since | None", flag: int) -> OpenGate:
        session = self._session
        session.connection.tell(ShutGate(channel))
        ask = Subscribe(session.identity, session.connection)  # type: ignore[arg-type]  # connected: there is one
        subscribed: Subscribed = await session.services.directory.thread(thread_id).ask(ask, block=False)
        missed = await self._missed(thread_id, since, subscribed.offset) if since is not None else ()
        if missed is None and flag & protocol.REJECT_UNRECOVERED:
            raise Refused(protocol.UNRECOVERABLE)
        result = b'{"recoverable":true,"positioned":true,"epoch":"%b","offset":%d' % (
            session.services.epoch.encode(),
            subscribed.offset,
        )
        if since is not None:
            result += b',"was_recovering":true'
            if missed is not None:
                result += b',"recovered":true,"publications":' + protocol.publication_list(missed)
        return OpenGate(channel, protocol.reply(number, "subscribe", result + b"}"), subscribed.offset)

    async def _missed(self, thread_id: str, since: "_Since", head: int) -> list[Publication] | None:
        """What came after `since`; None where it cannot be told in full."""
        services = self._session.services
        if (
            since.epoch not in ("", services.epoch)
            or since.offset > head
            or head - since.offset > limits.RECOVERY_EVENTS
        ):
            return None
        if since.offset == head:
            return []
        assert self._session.identity is not None
        page = await services.history.log_of_thread(
            self._session.identity, thread_id, since.offset, limit=limits.RECOVERY_EVENTS, up_to=head
        )
        found = publications(page.events)
        if page.more or sum(len(item.data) for item in found) > limits.RECOVERY_BYTES:
            return None
        return found

    async def unsubscribe(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        channel = body.get("channel")
        thread_id = thread_of(channel)
        assert isinstance(channel, str)
        self._leave(channel, thread_id)
        return b"{}"

    def _leave(self, channel: str, thread_id: str) -> None:
        if self._joined.pop(channel, None) is not None:
            self._session.tell(Leave(channel))
            self._session.services.directory.tell_live(thread_id, Unsubscribe(self._session.connection))

    async def history(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        """Pages of the thread's log; `limit` 0 answers only where it stands."""
        thread_id = thread_of(body.get("channel"))
        limit, reverse = body.get("limit", 0), bool(body.get("reverse"))
        if type(limit) is not int:
            raise Refused(protocol.BAD_COMMAND, "bad request: `limit` must be an integer")
        since = _position(body.get("since"))
        services = self._session.services
        if since is not None and since.epoch not in ("", services.epoch):
            raise Refused(protocol.UNRECOVERABLE)
        assert self._session.identity is not None
        page = await services.history.log_of_thread(
            self._session.identity,
            thread_id,
            since.offset if since is not None else 0,
            limit=min(limit, limits.HISTORY_EVENTS) if limit >= 0 else limits.HISTORY_EVENTS,
            reverse=reverse,
        )
        return _history(page)


def _history(page: LogPage) -> bytes:
    """As many publications as one frame may hold; a client asks on from the last one's offset."""
    shown: list[Publication] = []
    size = 0
    for item in publications(page.events):
        size += len(item.data)
        if shown and size > limits.RECOVERY_BYTES:
            break
        shown.append(item)
    epoch = page.epoch.encode()
    return b'{"publications":%b,"epoch":"%b","offset":%d}' % (protocol.publication_list(shown), epoch, page.head)


class _Since:
    """A position that a client has: everything up to it is known there."""

    __slots__ = ("epoch", "offset")

    def __init__(self, epoch: str, offset: int) -> None:
        self.epoch = epoch
        self.offset = offset


def _since(body: Mapping[str, Any]) -> _Since | None:
    return _position(body) if body.get("recover") is True else None


def _position(given: object) -> _Since | None:
    if given is None:
        return None
    epoch = given.get("epoch", "") if isinstance(given, Mapping) else None
    offset = given.get("offset", 0) if isinstance(given, Mapping) else None
    if not isinstance(epoch, str) or type(offset) is not int or not 0 <= offset < 2**63:
        raise Refused(protocol.BAD_COMMAND, "bad request: a position is an `epoch` and an `offset` from 0")
    return _Since(epoch, offset)
