"""What is asked of a channel's actor, whatever the channel is; what it tells connections; and who listens to it."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pykka

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.publication import EphemeralPublications, Publications


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Let a connection see the channel from now on. Answers `Subscribed`; raises where the identity may not see it."""

    identity: Identity
    connection: "pykka.ActorRef[Any]"
    watches: bool = False
    """Whether it is told who joins and leaves, connection by connection."""
    returning: bool = False
    """Whether its client was here before, and so may hold older lists of what is passing."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    offset: int
    """Head of the log: every later event reaches the connection."""
    state: EphemeralPublications | None
    """What is passing: what is being written, as far as it has been told, who is there, who types. What follows reaches
    the connection."""
    epoch: str = ""
    """Of a channel that has one of its own; a thread has its log's."""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    connection: "pykka.ActorRef[Any]"


@dataclass(frozen=True, slots=True)
class ListPresent:
    """Answers (client id, identity) of everyone who listens; raises where the identity may not see the channel."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class AccessEnded:
    """Told to a connection: it may no longer see this channel, and was unsubscribed from it."""

    channel: str


@dataclass(frozen=True, slots=True)
class Attendance:
    """Told to connections that watch: somebody has joined or left."""

    channel: str
    client_id: str
    identity: Identity
    joined: bool


class Audience:
    """The connections that listen to one channel, and whom each speaks for. Owned by the channel's actor."""

    __slots__ = ("_connections", "_watchers", "channel")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self._connections: dict[pykka.ActorRef[Any], Identity] = {}
        self._watchers: set[pykka.ActorRef[Any]] | None = None

    @property
    def connections(self) -> Mapping["pykka.ActorRef[Any]", Identity]:
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

    def leave(self, connection: "pykka.ActorRef[Any]") -> bool:
        """Whether it was here."""
        identity = self._connections.pop(connection, None)
        if identity is None:
            return False
        if self._watchers is not None:
            self._watchers.discard(connection)
            self._watchers = self._watchers or None
        self._tell_attendance(connection, identity, joined=False)
        return True

    def _tell_attendance(self, connection: "pykka.ActorRef[Any]", identity: Identity, *, joined: bool) -> None:
        """Not in a crowd: all would be told of all."""
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
        publications.is_patient = self.is_crowd
        for connection in self._connections:
            try:  # noqa: SIM105 - suppress() costs as much as the tell
                connection.tell(publications)
            except pykka.ActorDeadError:
                pass  # it has just closed; its Unsubscribe is on the way

    def tell_one(self, connection: "pykka.ActorRef[Any]", message: object) -> None:
        """If it is here."""
        if connection in self._connections:
            with contextlib.suppress(pykka.ActorDeadError):
                connection.tell(message)

    def present(self) -> list[tuple[str, Identity]]:
        """(client id, identity) of each connection."""
        return [(connection.actor_urn, identity) for connection, identity in self._connections.items()]
