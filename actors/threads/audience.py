"""The subscribers of one live thread: they get committed and ephemeral events, presence and typing."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from actors import limits
from actors.delivery.channel import Audience, Renew, Subscribe
from actors.delivery.ephemeral import Ephemeral
from actors.delivery.publication import EphemeralPublications, Publication, Publications, in_frames
from actors.events import Event
from actors.ports import Encode
from actors.resources.members import Member, MemberGone
from actors.resources.presence import TYPING, USER_STATUS, Status, StatusChange, TypingUsers
from actors.resources.threads import Thread
from actors.resources.users import Author
from actors.runtime.reference import Ref
from actors.threads.presence import Presence, whole_presence
from actors.threads.typing_users import Typing


class ThreadAudience(Audience):
    __slots__ = ("_encode", "_people", "_position", "_presence", "_status", "_thread_id", "_typing", "had_lists")

    def __init__(self, thread_id: str, encode: Encode, status: Callable[[int], Status]) -> None:
        super().__init__(f"thread:{thread_id}")
        self._thread_id = thread_id
        self._encode = encode
        self._status = status
        self._position = 0
        """Of the newest published event, in the log of all threads."""
        self._people: dict[int, int] = {}
        """User key → number of their connections."""
        self._presence: Presence | None = None
        self._typing: Typing | None = None
        self.had_lists = False
        """Whether clients may have lists that an actor before this one sent."""

    def join(self, message: Subscribe) -> None:
        before = self.connections.get(message.connection)
        if before is not None:
            self._count(before.user.key, -1)
        super().join(message)
        self._count(message.identity.user.key, 1)
        self._presence_changed()

    def leave(self, connection: Ref) -> bool:
        identity = self.connections.get(connection)
        if identity is None:
            return False
        super().leave(connection)
        self._count(identity.user.key, -1)
        self._presence_changed()
        return True

    def renew(self, message: Renew) -> None:
        super().renew(message)
        if self._presence is not None:
            self._presence.changed()

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
        """User key → author."""
        return {identity.user.key: identity.author for identity in self.connections.values()}

    def _presence_changed(self) -> None:
        """Presence begins with the second connection: most threads never have more than one reader."""
        if len(self) > 1 and self._presence is None:
            self._presence = Presence(
                asyncio.get_running_loop(),
                self._thread_id,
                present=self,
                status=self._status,
                publish=self.tell_ephemeral,
            )
        if self._presence is not None:
            self._presence.changed()

    def types(self, author: Author, *, typing: bool) -> None:
        if self._typing is None:
            self._typing = Typing(asyncio.get_running_loop(), self._thread_id, publish=self.tell_ephemeral)
        if typing:
            self._typing.start(author)
        else:
            self._typing.end(author.key)

    def has_written(self, author: Author) -> None:
        """The author of a message has stopped typing."""
        if self._typing is not None:
            self._typing.end(author.key, has_written=True)

    def ends_writing(self, event: Event) -> None:
        """Losing the right to write ends typing."""
        if self._typing is None:
            return
        match event.data:
            case MemberGone(user) | Member(user=user, role="VIEWER"):
                self._typing.end(user.key)
            case Thread(status="CLOSED" | "ARCHIVED"):
                self._typing.end_all()

    @property
    def has_lists(self) -> bool:
        """Whether clients may have a list of present or typing users."""
        published = (part.was_published for part in (self._presence, self._typing) if part is not None)
        return self.had_lists or any(published)

    def lists(self, *, returning: bool) -> list[Ephemeral]:
        """Present and typing users, for a new subscriber. A returning one may have older lists, so it gets empty ones
        too."""
        found: list[Ephemeral | None] = []
        anew = returning and self.has_lists
        if self._presence is not None:
            found.append(self._presence.whole(anew=anew))
        elif anew:
            found.append(whole_presence(self._thread_id, self.people(), self._status))
        if self._typing is not None:
            found.append(self._typing.whole(anew=anew))
        elif anew:
            found.append(Ephemeral(self._thread_id, TYPING, TypingUsers()))
        return [each for each in found if each is not None]

    def status_changed(self, author: Author, status: Status) -> None:
        """Sent only where there are other subscribers, and not to a crowd."""
        if 1 < len(self) <= limits.PRESENCE_USERS:
            self.tell_ephemeral([Ephemeral(self._thread_id, USER_STATUS, StatusChange(author, status))])

    def moved(self, event: Event) -> None:
        """Later ephemeral events stand after this event."""
        self._position = event.position

    def tell_events(self, events: Sequence[Event]) -> None:
        if not (events and self):
            return
        items = [Publication(e.offset, e.position, e.type, self._encode(e)) for e in events]
        for frame in in_frames(items):
            self.tell(Publications(self.channel, frame))

    def tell_ephemeral(self, ephemerals: Sequence[Ephemeral]) -> None:
        publications = self.ephemeral(ephemerals) if self else None
        if publications is not None:
            self.tell(publications)

    def ephemeral(self, ephemerals: Iterable[Ephemeral]) -> EphemeralPublications | None:
        items = [Publication(0, self._position, each.kind.name, self._encode(each)) for each in ephemerals]
        return EphemeralPublications(self.channel, items) if items else None

    def stop(self) -> None:
        for part in (self._presence, self._typing):
            if part is not None:
                part.stop()
