"""Who is present in a thread, and who types: told to those who are there, never logged.

Presence is told as what has changed, gathered for `PRESENCE_SECONDS`; who leaves is told a little later, so that a
reconnect is no blink. With more than `PRESENCE_USERS` connections only the number of people is told. Who joins is told
the whole list first: changes are no use without what they change. Pure but for its timer.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from actors import limits
from actors.delivery.ephemeral import Ephemeral
from actors.resources.users import Author
from actors.users.activity import Status

Tell = Callable[[list[Ephemeral]], None]


def person(author: Author) -> dict[str, Any]:
    return {"id": author.id, "name": author.name, "kind": author.kind}


def everybody(thread_id: str, people: Mapping[int, Author], status: Callable[[int], Status]) -> Ephemeral:
    """A whole list, which takes the place of what a client knows; `joined` says the same to one that takes changes."""
    listed = list(map(person, people.values()))
    users = [{**each, "status": status(key)} for key, each in zip(people, listed, strict=True)]
    return Ephemeral(thread_id, "presence", {"count": len(people), "joined": listed, "left": [], "users": users})


class Attending(Protocol):
    """The connections of one thread. Whoever is asked answers at once, however many they are."""

    def __len__(self) -> int: ...

    @property
    def people_count(self) -> int: ...

    def people(self) -> Mapping[int, Author]:
        """User key → who that is; asked only where they are few."""
        ...


class Presence:
    """Of one live thread. Begins with the second connection."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread_id: str,
        *,
        present: Attending,
        status: Callable[[int], Status],
        tell: Tell,
    ) -> None:
        self._loop = loop
        self._thread_id = thread_id
        self._present = present
        self._status = status
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None
        self._told: dict[int, Author] = {}
        """User key → who is there, as the others were told."""
        self._told_count = 0
        self._absent_since: dict[int, float] = {}
        self.was_told = False
        """Whether clients may hold a list, also one that is empty by now."""

    def changed(self) -> None:
        """A connection came or went."""
        if self._timer is None:
            self._timer = self._loop.call_later(limits.PRESENCE_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        if len(self._present) > limits.PRESENCE_USERS:
            self._told, self._absent_since = {}, {}
            people = self._present.people_count
            if people > 1 or self._told_count:
                self._tell_if_changed(people, [], [])
            return
        now = self._present.people()
        if len(now) <= 1 and not self._told:
            return  # alone, with however many devices
        joined = [author for key, author in now.items() if key not in self._told]
        left = self._left(now)
        for author in left:
            del self._told[author.key]
        self._told.update(now)
        self._tell_if_changed(len(self._told), joined, left)
        if self._absent_since:
            self.changed()

    def _left(self, now: Mapping[int, Author]) -> list[Author]:
        """Those who have been away for long enough."""
        time = self._loop.time()
        for key in self._told.keys() - now.keys():
            self._absent_since.setdefault(key, time)
        for key in self._absent_since.keys() & now.keys():
            del self._absent_since[key]
        gone = [key for key, since in self._absent_since.items() if time - since >= limits.PRESENCE_LEAVE_SECONDS]
        for key in gone:
            del self._absent_since[key]
        return [self._told[key] for key in gone if key in self._told]

    def _tell_if_changed(self, count: int, joined: list[Author], left: list[Author]) -> None:
        if joined or left or count != self._told_count:
            self._told_count = count
            self.was_told = True
            told = {"count": count, "joined": list(map(person, joined)), "left": list(map(person, left))}
            self._tell([Ephemeral(self._thread_id, "presence", told)])

    def whole(self, *, anew: bool) -> Ephemeral | None:
        """What a connection that joins is to know before the next change. `anew`: it may know an older list, which an
        empty one, too, takes the place of."""
        if len(self._present) > limits.PRESENCE_USERS:
            told = {"count": self._told_count, "joined": [], "left": []}
            return Ephemeral(self._thread_id, "presence", told) if self._told_count else None
        people = self._told or (self._present.people() if anew else {})
        return everybody(self._thread_id, people, self._status) if people else None

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Typing:
    """Who types in one live thread: the whole list each time, so that a piece that was missed matters to nobody.

    Who begins is told at once, but each of them no sooner than a pause after the last time: then when that is over.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, thread_id: str, *, tell: Tell) -> None:
        self._loop = loop
        self._thread_id = thread_id
        self._tell = tell
        self._until: dict[int, float] = {}
        """User key → when they have stopped, where they do not say more."""
        self._listed: dict[int, Author] = {}
        self._listed_at: dict[int, float] = {}
        self._pauses: dict[int, asyncio.TimerHandle] = {}
        """Of those who type and are not listed yet."""
        self._expiry: asyncio.TimerHandle | None = None
        self.was_told = False
        """Whether clients may hold a list, also one that is empty by now."""

    def start(self, author: Author) -> None:
        """They type, for the next seconds."""
        now = self._loop.time()
        self._until[author.key] = now + limits.TYPING_SECONDS
        if self._expiry is None:
            self._expiry = self._loop.call_later(limits.TYPING_SECONDS, self._expire)
        if author.key in self._listed or author.key in self._pauses:
            return
        wait = self._listed_at.get(author.key, -limits.TYPING_PAUSE_SECONDS) + limits.TYPING_PAUSE_SECONDS - now
        if wait <= 0:
            self._list(author)
        else:
            self._pauses[author.key] = self._loop.call_later(wait, self._list, author)

    def _list(self, author: Author) -> None:
        self._pauses.pop(author.key, None)
        self._listed[author.key] = author
        self._listed_at[author.key] = self._loop.time()
        self._tell_all()

    def end(self, user_key: int, *, has_written: bool = False) -> None:
        """They have stopped. Who has written may begin again without a pause: the message itself is told, too."""
        if has_written:
            self._listed_at.pop(user_key, None)
        self._end([user_key])

    def end_all(self) -> None:
        """Nobody may write any more."""
        self._end(list(self._until))

    def _end(self, user_keys: list[int]) -> None:
        listed = [user_key for user_key in user_keys if self._forget(user_key)]
        if listed:
            self._tell_all()

    def _forget(self, user_key: int) -> bool:
        """Whether they were listed."""
        self._until.pop(user_key, None)
        pause = self._pauses.pop(user_key, None)
        if pause is not None:
            pause.cancel()
        return self._listed.pop(user_key, None) is not None

    def _tell_all(self) -> None:
        self.was_told = True
        self._tell([self._all()])

    def _all(self) -> Ephemeral:
        return Ephemeral(self._thread_id, "typing", {"users": list(map(person, self._listed.values()))})

    def whole(self, *, anew: bool) -> Ephemeral | None:
        """What a connection that joins is to know; where it may hold an older list (`anew`), also that nobody types."""
        return self._all() if self._listed or anew else None

    def _expire(self) -> None:
        self._expiry = None
        now = self._loop.time()
        self._listed_at = {key: at for key, at in self._listed_at.items() if now - at < limits.TYPING_PAUSE_SECONDS}
        self._end([key for key, until in self._until.items() if until <= now])
        if self._until:
            next_end = min(self._until.values()) - now
            self._expiry = self._loop.call_later(max(next_end, 0.1), self._expire)

    def stop(self) -> None:
        for timer in (self._expiry, *self._pauses.values()):
            if timer is not None:
                timer.cancel()
