"""Who listens to one live thread: told what is committed, what is passing, who is present, and who types."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pykka

from actors import limits
from actors.delivery.channel import Audience, Subscribe
from actors.delivery.ephemeral import Ephemeral
from actors.delivery.publication import EphemeralPublications, Publication, Publications, in_frames
from actors.events import Event
from actors.ports import Encode
from actors.resources.members import Member, MemberGone
from actors.resources.threads import Thread
from actors.resources.users import Author
from actors.threads.presence import Presence, Typing, everybody, person
from actors.users.activity import Status


def _always_online(user_key: int) -> Status:
    return "online"


class ThreadAudience(Audience):
    __slots__ = ("_encode", "_people", "_position", "_presence", "_status", "_thread_id", "_typing", "was_told")

    def __init__(self, thread_id: str, encode: Encode, status: Callable[[int], Status] = _always_online) -> None:
        super().__init__(f"thread:{thread_id}")
        self._thread_id = thread_id
        self._encode = encode
        self._status = status
        self._position = 0
        """Of the newest event told, in the log of all threads."""
        self._people: dict[int, int] = {}
        """User key → how many of the connections are theirs."""
        self._presence: Presence | None = None
        self._typing: Typing | None = None
        self.was_told = False
        """Whether clients may hold lists that were told before this actor began."""

    def join(self, message: Subscribe) -> None:
        before = self.connections.get(message.connection)
        if before is not None:
            self._count(before.user.key, -1)
        super().join(message)
        self._count(message.identity.user.key, 1)
        self._came_or_went()

    def leave(self, connection: "pykka.ActorRef[Any]") -> bool:
        identity = self.connections.get(connection)
        if identity is None:
            return False
        super().leave(connection)
        self._count(identity.user.key, -1)
        self._came_or_went()
        return True

    def _count(self, user_key: int, change: int) -> None:
        count = self._people.get(user_key, 0) + change
        if count:
            self._people[user_key] = count
        else:
            del self._people[user_key]

    @property
    def people_count(self) -> int:
        return len(self._people)

    def people(self) -> Mapping[int, Author]:
        """User key → who that is."""
        return {identity.user.key: identity.author for identity in self.connections.values()}

    def _came_or_went(self) -> None:
        """Who is alone is told of nobody: most threads never have more than one reader."""
        if len(self) > 1 and self._presence is None:
            self._presence = Presence(
                asyncio.get_running_loop(), self._thread_id, present=self, status=self._status, tell=self.tell_passing
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
        """Who has sent it types no more."""
        if self._typing is not None:
            self._typing.end(author.key, has_written=True)

    def ends_writing(self, event: Event) -> None:
        """Who may not write any more does not type, either."""
        if self._typing is None:
            return
        match event.data:
            case MemberGone(user) | Member(user=user, role="VIEWER"):
                self._typing.end(user.key)
            case Thread(status="CLOSED" | "ARCHIVED"):
                self._typing.end_all()

    @property
    def has_lists(self) -> bool:
        """Whether clients may hold a list of who is present or types."""
        told = (part.was_told for part in (self._presence, self._typing) if part is not None)
        return self.was_told or any(told)

    def lists(self, *, returning: bool) -> list[Ephemeral]:
        """Who is present and who types, for a connection that has just joined. One that comes back may hold older
        lists: these are replaced, also where nobody is left in them."""
        found: list[Ephemeral | None] = []
        anew = returning and self.has_lists
        if self._presence is not None:
            found.append(self._presence.whole(anew=anew))
        elif anew:
            found.append(everybody(self._thread_id, self.people(), self._status))
        if self._typing is not None:
            found.append(self._typing.whole(anew=anew))
        elif anew:
            found.append(Ephemeral(self._thread_id, "typing", {"users": []}))
        return [each for each in found if each is not None]

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

    def passing(self, ephemerals: Iterable[Ephemeral]) -> EphemeralPublications | None:
        items = [Publication(0, self._position, ephemeral.type, self._encode(ephemeral)) for ephemeral in ephemerals]
        return EphemeralPublications(self.channel, items) if items else None

    def stop(self) -> None:
        for part in (self._presence, self._typing):
            if part is not None:
                part.stop()
