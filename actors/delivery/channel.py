"""The messages that every channel's actor answers, those that it sends to connections, and its subscribers."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pykka

from actors import limits
from actors.asks import Asks
from actors.auth.identity import Identity
from actors.delivery.publication import EphemeralPublications, Publications
from actors.resources.users import User
from actors.runtime.reference import Ref


@dataclass(frozen=True, slots=True)
class Subscribe(Asks["Subscribed"]):
    """Subscribe a connection. Answers `Subscribed`; raises where the identity may not see the channel."""

    identity: Identity
    connection: Ref
    watches: bool = False
    """Whether it gets `Attendance` of each connection that joins or leaves."""
    returning: bool = False
    """Whether its client was subscribed before, and so may have older lists of present and typing users."""
    artifact_id: str | None = None
    """The channel of this artifact of the thread, rather than the thread's own."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    offset: int
    """Head of the log: every later event reaches the connection."""
    state: EphemeralPublications | None
    """Ephemeral events that began before: the text of open streams so far, present and typing users. Later ones reach
    the connection."""
    epoch: str = ""
    """Of a live channel; empty for a thread, which has the epoch of the log."""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    connection: Ref
    artifact_id: str | None = None
    """From the channel of this artifact, rather than the thread's own."""


@dataclass(frozen=True, slots=True)
class Renew:
    """The user of this connection has another name or picture, and the same rights."""

    connection: Ref
    user: User
    artifact_id: str | None = None
    """On the channel of this artifact, rather than the thread's own."""


@dataclass(frozen=True, slots=True)
class ListPresent(Asks[list[tuple[str, Identity]]]):
    """Answers (client id, identity) of each subscribed connection; raises where the identity may not see the
    channel."""

    identity: Identity
    artifact_id: str | None = None
    """Of the channel of this artifact, rather than the thread's own."""


@dataclass(frozen=True, slots=True)
class AccessEnded:
    """Sent to a connection that has lost access to this channel and was unsubscribed from it."""

    channel: str


@dataclass(frozen=True, slots=True)
class Attendance:
    """Sent to connections that watch: another one has joined or left."""

    channel: str
    client_id: str
    identity: Identity
    joined: bool


class Audience:
    """The subscribers of one channel: connections, each with its identity. Owned by the channel's actor."""

    __slots__ = ("_connections", "_watchers", "channel")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self._connections: dict[Ref, Identity] = {}
        self._watchers: set[Ref] | None = None

    @property
    def connections(self) -> Mapping[Ref, Identity]:
        return self._connections

    def __len__(self) -> int:
        return len(self._connections)

    def join(self, message: Subscribe) -> None:
        self._connections[message.connection] = message.identity
        if message.watches:
            if self._watchers is None:
                self._watchers = set()
            self._watchers.add(message.connection)
        self._tell_attendance(message.connection, message.identity, joined=True)

    def leave(self, connection: Ref) -> bool:
        """Whether it was subscribed."""
        identity = self._connections.pop(connection, None)
        if identity is None:
            return False
        if self._watchers is not None:
            self._watchers.discard(connection)
            self._watchers = self._watchers or None
        self._tell_attendance(connection, identity, joined=False)
        return True

    def renew(self, message: Renew) -> None:
        """If it is subscribed."""
        identity = self._connections.get(message.connection)
        if identity is not None:
            self._connections[message.connection] = identity.of_user(message.user)

    def end_access(self, may_see: Callable[[Identity], bool]) -> None:
        """Unsubscribe those who may no longer see the channel, and notify them."""
        for connection, identity in list(self._connections.items()):
            if not may_see(identity):
                self.leave(connection)
                with contextlib.suppress(pykka.ActorDeadError):
                    connection.tell(AccessEnded(self.channel))

    def _tell_attendance(self, connection: Ref, identity: Identity, *, joined: bool) -> None:
        """Not in a crowd: the cost would grow by the square."""
        if self._watchers is None or len(self._connections) > limits.PRESENCE_USERS:
            return
        attendance = Attendance(self.channel, connection.actor_urn, identity, joined)
        for watcher in self._watchers:
            with contextlib.suppress(pykka.ActorDeadError):
                watcher.tell(attendance)

    @property
    def is_crowd(self) -> bool:
        return len(self._connections) > limits.CROWD

    def tell(self, publications: Publications) -> None:
        publications.is_low_priority = self.is_crowd
        for connection in self._connections:
            try:  # noqa: SIM105 - suppress() costs as much as the tell
                connection.tell(publications)
            except pykka.ActorDeadError:
                pass  # it has just closed; its Unsubscribe is on the way

    def tell_one(self, connection: Ref, message: object) -> None:
        """If it is subscribed."""
        if connection in self._connections:
            with contextlib.suppress(pykka.ActorDeadError):
                connection.tell(message)

    def present(self) -> list[tuple[str, Identity]]:
        """(client id, identity) of each connection."""
        return [(connection.actor_urn, identity) for connection, identity in self._connections.items()]
