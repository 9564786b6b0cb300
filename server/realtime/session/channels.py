"""Subscriptions of one session: join, leave, publish, and read presence and history of a channel."""

import asyncio
from collections.abc import Mapping
from typing import Any

from actors import limits
from actors.delivery.connection import Leave, OpenGate
from actors.delivery.publication import Publication
from server.realtime.protocol import codes as protocol
from server.realtime.protocol.codes import Refused
from server.realtime.session.client_session import ClientSession
from server.realtime.session.joining import join
from server.realtime.session.source import HistoryPage, Since, Source
from server.realtime.session.sources import leave, source_of


class Channels:
    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._joined: dict[str, Source] = {}
        """Channel → its current subscription; one that was left before it was answered is not in here."""
        self._ends: dict[str, asyncio.TimerHandle] | None = None
        """Of subscriptions that rest on a token; most sessions have none."""
        self._has_ended = False

    def forget(self, channel: str) -> None:
        self._joined.pop(channel, None)
        self._stop_timer(channel)

    def is_joined(self, channel: str) -> bool:
        return channel in self._joined

    async def subscribe(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        """Join the channel, then answer with what was missed and open the gate for live events."""
        source, channel = source_of(self._session, body), body["channel"]
        protocol.must_be_served("subscribe", body)
        if channel in self._joined:
            raise Refused(protocol.ALREADY_SUBSCRIBED)
        if len(self._joined) >= limits.CHANNELS_PER_CONNECTION:
            raise Refused(protocol.LIMIT_EXCEEDED, f"limit exceeded: {limits.CHANNELS_PER_CONNECTION} channels")
        since, flag = _since(body), body.get("flag") or 0
        if type(flag) is not int:
            raise Refused(protocol.BAD_COMMAND, "bad request: `flag` must be an integer")
        self._joined[channel] = source
        try:
            opening = await self._join(number, channel, source, since, flag, body.get("join_leave") is True)
            if self._joined.get(channel) is source:
                self._session.connection.tell(opening)
                self._expire(channel, source)
            else:
                self._session.send(opening.wire)
        except BaseException:
            if self._joined.get(channel) is source:
                self._leave(channel)
            raise
        finally:
            if channel not in self._joined:  # left before a source that reads something first had registered
                leave(self._session.services, channel, self._session.connection, self._session.identity)
        return None

    async def _join(
        self, number: int, channel: str, source: Source, since: Since | None, flag: int, watches: bool
    ) -> OpenGate:
        session = self._session
        assert session.identity is not None
        subscribed, missed = await join(session, session.identity, channel, source, since, watches=watches)
        if missed is None and flag & protocol.REJECT_UNRECOVERED:
            raise Refused(protocol.UNRECOVERABLE)
        result = session.codec.subscribed(
            subscribed.epoch or session.services.epoch_of(channel),
            subscribed.offset,
            missed,
            was_recovering=since is not None,
            ttl=session.time_to_live(source.expires_at) if source.expires_at is not None else None,
        )
        wire = session.codec.reply(number, "subscribe", result)
        return OpenGate(channel, wire, subscribed.offset, subscribed.state)

    def _expire(self, channel: str, source: Source) -> None:
        """A subscription that rests on a token ends with it: one timer, and none beyond the session's end."""
        self._stop_timer(channel)
        if source.expires_at is not None and not self._has_ended:
            seconds = self._session.seconds_until(source.expires_at)
            self._ends = self._ends or {}
            self._ends[channel] = asyncio.get_running_loop().call_later(seconds, self._end_expired, channel, source)

    def _end_expired(self, channel: str, source: Source) -> None:
        assert source.expires_at is not None
        if self._session.seconds_until(source.expires_at) > 0:  # further away than a timer reaches
            self._expire(channel, source)
            return
        self._leave(channel)
        self._session.send(self._session.codec.unsubscribe_push(channel, protocol.UNSUBSCRIBED_EXPIRED, "expired"))

    def _stop_timer(self, channel: str) -> None:
        timer = self._ends.pop(channel, None) if self._ends is not None else None
        if timer is not None:
            timer.cancel()

    def end(self) -> None:
        """The session is over: no timer keeps it."""
        self._has_ended = True
        for channel in list(self._ends or ()):
            self._stop_timer(channel)

    async def refresh(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        """`sub_refresh`: a new token for a subscription that rests on one."""
        channel = body.get("channel")
        if not isinstance(channel, str) or channel not in self._joined:
            raise Refused(protocol.BAD_COMMAND, "bad request: not subscribed to this channel")
        if not isinstance(body.get("token"), str) or not body["token"]:
            raise Refused(protocol.BAD_COMMAND, "bad request: sub_refresh needs a `token`")
        protocol.must_be_served("sub_refresh", body)
        joined, expires_at = self._joined[channel], source_of(self._session, body).expires_at
        if joined.expires_at != expires_at:
            joined.expires_at = expires_at
            self._expire(channel, joined)
        if expires_at is None:
            return self._session.codec.nothing
        fields = {"expires": True, "ttl": self._session.time_to_live(expires_at)}
        return self._session.codec.result("sub_refresh", fields)

    async def unsubscribe(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        channel = body.get("channel")
        if not isinstance(channel, str) or channel not in self._joined:
            source_of(self._session, body)  # refuses a name that is no channel
        else:
            self._leave(channel)
        return self._session.codec.nothing

    def _leave(self, channel: str) -> None:
        self._stop_timer(channel)
        if self._joined.pop(channel, None) is not None:
            self._session.tell(Leave(channel))
            leave(self._session.services, channel, self._session.connection, self._session.identity)

    async def publish(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        source = source_of(self._session, body, "write")
        protocol.must_be_served("publish", body)
        await source.publish(body.get("data"))
        return self._session.codec.nothing

    async def presence(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        """Empty above `PRESENCE_USERS` connections; `presence_stats` counts them."""
        self._session.draw("read")
        present = await source_of(self._session, body).present()
        listed = present if len(present) <= limits.PRESENCE_USERS else ()
        fields = {client: protocol.client_info(client, who) for client, who in listed}
        return self._session.codec.result("presence", {"presence": fields})

    async def presence_stats(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        self._session.draw("read")
        present = await source_of(self._session, body).present()
        users = {who.user.key for _, who in present}
        return self._session.codec.result("presence_stats", {"num_clients": len(present), "num_users": len(users)})

    async def history(self, number: int, body: Mapping[str, Any]) -> bytes | None:
        """Pages of the channel's log; `limit` 0 answers only where it stands."""
        self._session.draw("read")
        source = source_of(self._session, body)
        limit, reverse = body.get("limit", 0), bool(body.get("reverse"))
        if type(limit) is not int:
            raise Refused(protocol.BAD_COMMAND, "bad request: `limit` must be an integer")
        most = min(limit, limits.HISTORY_EVENTS) if limit >= 0 else limits.HISTORY_EVENTS
        page = await source.history(position_of(body.get("since")), most, reverse=reverse)
        return self._session.codec.page(_in_one_frame(page), page.epoch, page.head)


def _in_one_frame(page: HistoryPage) -> list[Publication]:
    """As many publications as one frame may hold; a client asks on from the last one's offset."""
    shown: list[Publication] = []
    size = 0
    for item in page.publications:
        size += len(item.data)
        if shown and size > limits.RECOVERY_BYTES:
            break
        shown.append(item)
    return shown


def _since(body: Mapping[str, Any]) -> Since | None:
    return position_of(body) if body.get("recover") is True else None


def position_of(given: object) -> Since | None:
    if given is None:
        return None
    epoch = given.get("epoch", "") if isinstance(given, Mapping) else None
    offset = given.get("offset", 0) if isinstance(given, Mapping) else None
    if not isinstance(epoch, str) or type(offset) is not int or not 0 <= offset < 2**63:
        raise Refused(protocol.BAD_COMMAND, "bad request: a position is an `epoch` and an `offset` from 0")
    return Since(epoch, offset)
