"""The source of a channel, by its name."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from actors import limits
from actors.auth.identity import Identity, Scope
from actors.delivery.channel import ListPresent, Renew, Subscribe, Subscribed, Unsubscribe
from actors.delivery.live_channel import LivePage, PublishLive, ReadLive
from actors.delivery.publication import Publication
from actors.errors import TokenExpired, Unauthenticated
from actors.identifiers import is_id
from actors.resources.log import ReadThreadLog
from actors.resources.user_events import ReadUserLog
from actors.resources.users import User
from actors.runtime.reference import Ref
from actors.threads.message_streams import SendEphemeralState
from server.api import operations
from server.api.events import publications, user_publications
from server.realtime.protocol import codes as protocol
from server.realtime.protocol import live_data
from server.realtime.protocol.codes import Refused
from server.realtime.session.artifact_source import ArtifactSource
from server.realtime.session.client_session import ClientSession
from server.realtime.session.source import HistoryPage, LogSource, Since, Source, present, subscribe

if TYPE_CHECKING:
    from server.api.services import Services

OWN_KINDS = ("thread", "user", "artifact")
"""Prefixes of the server's own channels, before the colon; all other names are the application's."""
_CREATE_MESSAGE = operations.BY_NAME["create_message"]


class ThreadSource(LogSource):
    """`thread:<id>`: the thread's log, to its beginning. The thread's actor decides who may see it."""

    __slots__ = ("_session", "_thread_id")

    def __init__(self, session: ClientSession, thread_id: str) -> None:
        self._session = session
        self._thread_id = thread_id

    @property
    def _services(self) -> "Services":
        return self._session.services

    def actor(self) -> Ref:
        return self._services.directory.thread(self._thread_id)

    @property
    def _identity(self) -> Identity:
        assert self._session.identity is not None
        return self._session.identity

    async def present(self) -> list[tuple[str, Identity]]:
        return await present(self.actor(), ListPresent(self._identity))

    @property
    def _epoch(self) -> str:
        return self._services.epoch_of(f"thread:{self._thread_id}")

    async def _between(self, offset: int, head: int) -> list[Publication] | None:
        return await self._services.recovery.missed(self._identity, self._thread_id, offset, head)

    async def _page(self, offset: int, limit: int, reverse: bool) -> HistoryPage:
        page = await self._services.ask(
            ReadThreadLog(self._identity, self._thread_id, offset, limit=limit, reverse=reverse)
        )
        return HistoryPage(publications(page.events), self._epoch, page.head)

    async def publish(self, data: Any) -> None:
        """Publishing to a thread is creating a message."""
        data = protocol.json_of(data)
        if isinstance(data, dict):
            data = {**data, "thread_id": self._thread_id}
        await self._session.run(_CREATE_MESSAGE, data)


class UserSource(LogSource):
    """`user:<id>`: the user's own log, as far back as it is kept."""

    __slots__ = ("_identity", "_services")

    def __init__(self, session: ClientSession, identity: Identity) -> None:
        self._services = session.services
        self._identity = identity

    def actor(self) -> Ref:
        return self._services.users.actor(self._identity.user)

    async def present(self) -> list[tuple[str, Identity]]:
        return await present(self.actor(), ListPresent(self._identity))

    @property
    def _epoch(self) -> str:
        return self._services.epoch_of(f"user:{self._identity.user.id}")

    async def _between(self, offset: int, head: int) -> list[Publication] | None:
        page = await self._services.ask(
            ReadUserLog(self._identity.user.key, offset, limit=limits.RECOVERY_EVENTS, up_to=head)
        )
        found = user_publications(page.events)
        is_whole = page.is_whole and not page.more
        return found if is_whole and sum(len(item.data) for item in found) <= limits.RECOVERY_BYTES else None

    async def _page(self, offset: int, limit: int, reverse: bool) -> HistoryPage:
        page = await self._services.ask(ReadUserLog(self._identity.user.key, offset, limit=limit, reverse=reverse))
        return HistoryPage(user_publications(page.events), self._epoch, page.head)

    async def publish(self, data: Any) -> None:
        raise Refused(protocol.PERMISSION_REFUSED, "permission denied: only the server publishes here")


class LiveSource:
    """An application's own channel, in memory. Reading an unused one answers nothing and does not create it."""

    def __init__(self, session: ClientSession, channel: str, expires_at: int | None) -> None:
        self._session = session
        self._channels = session.services.live_channels
        self._channel = channel
        self.expires_at = expires_at

    @property
    def _identity(self) -> Identity:
        assert self._session.identity is not None
        return self._session.identity

    def actor(self) -> Ref:
        """Raises `Refused` where there are too many channels."""
        actor = self._channels.open(self._channel, self._identity.user.key)
        if actor is None:
            raise Refused(protocol.LIMIT_EXCEEDED, "limit exceeded: too many live channels are in use")
        return actor

    async def subscribe(self, ask: Subscribe) -> Subscribed:
        return await subscribe(self.actor(), ask)

    async def present(self) -> list[tuple[str, Identity]]:
        actor = self._channels.find(self._channel)
        return await present(actor, ListPresent(self._identity)) if actor is not None else []

    async def missed(self, since: Since, subscribed: Subscribed) -> list[Publication] | None:
        if not since.is_of(subscribed.epoch):
            return None
        page = await self._read(ReadLive(since.offset, limits.LIVE_HISTORY))
        found = [item for item in page.publications if item.offset <= subscribed.offset]
        is_whole = page.is_whole and sum(len(item.data) for item in found) <= limits.RECOVERY_BYTES
        return found if is_whole else None

    async def history(self, since: Since | None, limit: int, *, reverse: bool) -> HistoryPage:
        page = await self._read(ReadLive(since.offset if since else None, limit, reverse))
        if since is not None and not since.is_of(page.epoch):
            raise Refused(protocol.UNRECOVERABLE)
        return HistoryPage(page.publications, page.epoch, page.head)

    async def _read(self, question: ReadLive) -> LivePage:
        actor = self._channels.find(self._channel)
        return _NOTHING if actor is None else await actor.ask(question)

    async def publish(self, data: Any) -> None:
        self._session.draw("write")
        given = live_data.in_bytes(data)
        as_json, is_base64 = live_data.as_json(given)
        command = PublishLive(self._identity, self._session.client_id, given, as_json, is_base64)
        await self.actor().ask(command)


_NOTHING = LivePage("", 0, (), is_whole=True)
"""Of an unused channel: it gets its epoch with the first subscription or publication."""


def source_of(session: ClientSession, body: Mapping[str, Any], scope: Scope = "read") -> Source:
    """The source that the `channel` of a command names; raises `Refused` where the name is invalid, the channel is not
    for this client, or its API key lacks the scope that the command needs."""
    channel = body.get("channel")
    if not isinstance(channel, str) or not channel:
        raise Refused(protocol.BAD_COMMAND, "bad request: `channel` must be a name")
    if len(channel) > limits.CHANNEL_CHARS:
        raise Refused(protocol.BAD_COMMAND, f"bad request: a channel has at most {limits.CHANNEL_CHARS} characters")
    identity = session.identity
    if identity is not None and not identity.has_scope(scope):
        raise Refused(protocol.PERMISSION_REFUSED, f"permission denied: this key has no scope `{scope}`")
    kind, _, name = channel.partition(":")
    if kind == "thread" and is_id(name):
        return ThreadSource(session, name)
    if kind == "user":
        if identity is None or name != identity.user.id:
            raise Refused(protocol.PERMISSION_REFUSED, "permission denied: this channel is for its user alone")
        return UserSource(session, identity)
    if kind == "artifact" and is_id(name) and identity is not None:
        return ArtifactSource(session.services, identity, name)
    if kind in OWN_KINDS or not channel.isprintable():
        raise Refused(protocol.UNKNOWN_CHANNEL)
    return LiveSource(session, channel, _live_access(session, channel, body.get("token")))


def _live_access(session: ClientSession, channel: str, token: object) -> int | None:
    """When access expires, in seconds since 1970; None: with the connection. A pattern of LIVE_CHANNELS opens a channel
    to all users, a token opens it to one."""
    if isinstance(token, str) and token:
        return _of_token(session, channel, token)
    if session.is_subscribed(channel) or any(fnmatchcase(channel, each) for each in session.services.live_patterns):
        return None
    raise Refused(protocol.UNKNOWN_CHANNEL)


def _of_token(session: ClientSession, channel: str, token: str) -> int | None:
    who = session.identity
    assert who is not None
    try:
        claims = session.services.verify_channel(token, session.services.clock())
    except TokenExpired:
        raise Refused(protocol.TOKEN_EXPIRED) from None
    except Unauthenticated as error:
        raise Refused(protocol.PERMISSION_REFUSED, f"permission denied: {error.detail}") from None
    if claims.channel != channel or claims.sub not in (who.user.subject, who.subject or who.user.subject):
        raise Refused(protocol.PERMISSION_REFUSED, "permission denied: the token is for another channel or user")
    return claims.expires_at


def send_state(services: "Services", channel: str, connection: Ref, identity: Identity | None) -> None:
    """Ephemeral events were dropped because the connection did not read: send it the current state."""
    kind, _, name = channel.partition(":")
    if kind == "thread":
        services.directory.tell_if_live(name, SendEphemeralState(connection))
    elif kind == "user" and identity is not None:
        services.users.send_unread(identity.user.key, connection)


def leave(services: "Services", channel: str, connection: Ref, identity: Identity | None) -> None:
    """Unsubscribe a connection of that identity."""
    kind, _, name = channel.partition(":")
    if kind == "thread":
        services.directory.tell_if_live(name, Unsubscribe(connection))
    elif kind == "artifact":
        services.directory.leave_artifact(name, connection)
    elif kind == "user":
        if identity is not None:
            services.users.leave(identity.user.key, connection)
    else:
        services.live_channels.tell_if_live(channel, Unsubscribe(connection))


def renew(services: "Services", channel: str, connection: Ref, user: User) -> None:
    """The user of a connection has another name or picture: it is shown to those who are on the channel."""
    kind, _, name = channel.partition(":")
    if kind == "thread":
        services.directory.tell_if_live(name, Renew(connection, user))
    elif kind == "artifact":
        services.directory.tell_if_artifact_is_live(name, Renew(connection, user, name))
    elif kind != "user":
        services.live_channels.tell_if_live(channel, Renew(connection, user))
