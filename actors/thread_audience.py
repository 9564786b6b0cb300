"""Who listens to one live thread: told what is committed, what is passing, who is present, and who types."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import pykka

from actors import limits
from actors.activity import Status
from actors.channel import Audience, Subscribe
from actors.events import Ephemeral, Event
from actors.ports import Encode
from actors.presence import Presence, Typing, person
from actors.publication import Passing, Publication, Publications, in_frames
from actors.records import Author


class ThreadAudience(Audience):
    __slots__ = ("_encode", "_position", "_presence", "_thread_id", "_typing")

    def __init__(self, thread_id: str, encode: Encode) -> None:
        super().__init__(f"thread:{thread_id}")
        self._thread_id = thread_id
        self._encode = encode
        self._position = 0
        """Of the newest event told, in the log of all threads."""
        self._presence: Presence | None = None
        self._typing: Typing | None = None

    def join(self, message: Subscribe) -> None:
        super().join(message)
        self._came_or_went()

    def leave(self, connection: "pykka.ActorRef[Any]") -> bool:
        was_here = super().leave(connection)
        if was_here:
            self._came_or_went()
        return was_here

    def _came_or_went(self) -> None:
        """Somebody alone is told of nobody: most threads are never more than that."""
        if len(self) > 1 and self._presence is None:
            self._presence = Presence(
                asyncio.get_running_loop(),
                self._thread_id,
                present=self.connections.values,
                tell=self.tell_passing,
            )
        if self._presence is not None:
            self._presence.changed()

    def types(self, author: Author, *, typing: bool) -> None:
        if self._typing is None:
            self._typing = Typing(asyncio.get_running_loop(), self._thread_id, tell=self.tell_passing)
        if typing:
            self._typing.start(author)
        else:
            self._typing.end(author.key)

    def has_written(self, author: Author) -> None:
        """Whoever has sent it types no more."""
        if self._typing is not None:
            self._typing.end(author.key)

    def status_changed(self, author: Author, status: Status) -> None:
        """Where others are told of them, and not in a crowd."""
        if 1 < len(self) <= limits.PRESENCE_USERS:
            self.tell_passing([Ephemeral(self._thread_id, "user.status", {"user": person(author), "status": status})])

    def moved(self, event: Event) -> None:
        """What is passing comes after this one from now on."""
        self._position = event.position

    def tell_events(self, events: Sequence[Event]) -> None:
        if not (events and self):
            return
        items = [Publication(e.offset, e.position, e.type, self._encode(e)) for e in events]
        for frame in in_frames(items):
            self.tell(Publications(self.channel, frame))

    def tell_passing(self, ephemerals: Sequence[Ephemeral]) -> None:
        passing = self.passing(ephemerals) if self else None
        if passing is not None:
            self.tell(passing)

    def passing(self, ephemerals: Iterable[Ephemeral]) -> Passing | None:
        items = [Publication(0, self._position, ephemeral.type, self._encode(ephemeral)) for ephemeral in ephemerals]
        return Passing(self.channel, items) if items else None

    def stop(self) -> None:
        for part in (self._presence, self._typing):
            if part is not None:
                part.stop()
