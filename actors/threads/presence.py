"""Presence in a live thread: published to its subscribers, never logged.

Presence is published as changes, collected for `PRESENCE_SECONDS`; a user who leaves is announced later, so that a
reconnect is not seen. A user whose name changes joins once more. Above `PRESENCE_USERS` connections only the number of
users is published. A new subscriber gets the whole list first, to which later changes apply. Pure except for the timer.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from actors import limits
from actors.delivery.ephemeral import Ephemeral, Publish
from actors.resources.presence import PRESENCE, PresenceChange, Status
from actors.resources.users import Author


def whole_presence(thread_id: str, people: Mapping[int, Author], status: Callable[[int], Status]) -> Ephemeral:
    """The whole list, which replaces the one of a client; `joined` says the same to a client that applies changes."""
    users = [(author, status(key)) for key, author in people.items()]
    return Ephemeral(thread_id, PRESENCE, PresenceChange(len(people), list(people.values()), users=users))


class Attending(Protocol):
    """The connections of one thread. Its answers take no longer in a crowd."""

    def __len__(self) -> int: ...

    @property
    def people_count(self) -> int: ...

    def people(self) -> Mapping[int, Author]:
        """User key → author; asked only below the limit for lists."""
        ...


class Presence:
    """Of one live thread. Starts with the second connection."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread_id: str,
        *,
        present: Attending,
        status: Callable[[int], Status],
        publish: Publish,
    ) -> None:
        self._loop = loop
        self._thread_id = thread_id
        self._present = present
        self._status = status
        self._publish = publish
        self._timer: asyncio.TimerHandle | None = None
        self._published: dict[int, Author] = {}
        """User key → author: the list as it was published."""
        self._published_count = 0
        self._absent_since: dict[int, float] = {}
        self.was_published = False
        """Whether clients may have a list, even if it is empty by now."""

    def changed(self) -> None:
        """A connection has joined or left, or its user has another name."""
        if self._timer is None:
            self._timer = self._loop.call_later(limits.PRESENCE_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        if len(self._present) > limits.PRESENCE_USERS:
            self._published, self._absent_since = {}, {}
            people = self._present.people_count
            if people > 1 or self._published_count:
                self._publish_if_changed(people, [], [])
            return
        now = self._present.people()
        if len(now) <= 1 and not self._published:
            return  # one user, on one or more devices
        joined = [author for key, author in now.items() if self._published.get(key) != author]
        left = self._left(now)
        for author in left:
            del self._published[author.key]
        self._published.update(now)
        self._publish_if_changed(len(self._published), joined, left)
        if self._absent_since:
            self.changed()

    def _left(self, now: Mapping[int, Author]) -> list[Author]:
        """Users who have been absent for `PRESENCE_LEAVE_SECONDS`."""
        time = self._loop.time()
        for key in self._published.keys() - now.keys():
            self._absent_since.setdefault(key, time)
        for key in self._absent_since.keys() & now.keys():
            del self._absent_since[key]
        gone = [key for key, since in self._absent_since.items() if time - since >= limits.PRESENCE_LEAVE_SECONDS]
        for key in gone:
            del self._absent_since[key]
        return [self._published[key] for key in gone if key in self._published]

    def _publish_if_changed(self, count: int, joined: list[Author], left: list[Author]) -> None:
        if joined or left or count != self._published_count:
            self._published_count = count
            self.was_published = True
            self._publish([Ephemeral(self._thread_id, PRESENCE, PresenceChange(count, joined, left))])

    def whole(self, *, anew: bool) -> Ephemeral | None:
        """The list for a new subscriber. `anew`: it may have an older list, which an empty one has to replace."""
        if len(self._present) > limits.PRESENCE_USERS:
            count = self._published_count
            return Ephemeral(self._thread_id, PRESENCE, PresenceChange(count)) if count else None
        people = self._published or (self._present.people() if anew else {})
        return whole_presence(self._thread_id, people, self._status) if people else None

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
