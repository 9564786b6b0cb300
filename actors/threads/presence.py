"""Presence and typing of a live thread: published to its subscribers, never logged.

Presence is published as changes, collected for `PRESENCE_SECONDS`; a user who leaves is announced later, so that a
reconnect is not seen. Above `PRESENCE_USERS` connections only the number of users is published. A new subscriber gets
the whole list first, to which later changes apply. Pure except for the timer.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from actors import limits
from actors.delivery.ephemeral import Ephemeral
from actors.resources.presence import PRESENCE, TYPING, PresenceChange, Status, TypingUsers
from actors.resources.users import Author

Publish = Callable[[list[Ephemeral]], None]


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
        """A connection has joined or left."""
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
        joined = [author for key, author in now.items() if key not in self._published]
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


class Typing:
    """Typing users of one live thread. The whole list is published each time, so a client may miss one.

    A user who starts is listed at once, but not again within `TYPING_PAUSE_SECONDS`: then when the pause is over.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, thread_id: str, *, publish: Publish) -> None:
        self._loop = loop
        self._thread_id = thread_id
        self._publish = publish
        self._until: dict[int, float] = {}
        """User key → when typing ends unless it is repeated."""
        self._listed: dict[int, Author] = {}
        self._listed_at: dict[int, float] = {}
        self._pauses: dict[int, asyncio.TimerHandle] = {}
        """Of users who type and are not listed yet."""
        self._expiry: asyncio.TimerHandle | None = None
        self.was_published = False
        """Whether clients may have a list, even if it is empty by now."""

    def start(self, author: Author) -> None:
        """The author types for the next `TYPING_SECONDS`."""
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
        self._publish_all()

    def end(self, user_key: int, *, has_written: bool = False) -> None:
        """The user has stopped. After a message the next start needs no pause: the message was published too."""
        if has_written:
            self._listed_at.pop(user_key, None)
        self._end([user_key])

    def end_all(self) -> None:
        """The thread accepts no more messages."""
        self._end(list(self._until))

    def _end(self, user_keys: list[int]) -> None:
        listed = [user_key for user_key in user_keys if self._forget(user_key)]
        if listed:
            self._publish_all()

    def _forget(self, user_key: int) -> bool:
        """Whether the user was listed."""
        self._until.pop(user_key, None)
        pause = self._pauses.pop(user_key, None)
        if pause is not None:
            pause.cancel()
        return self._listed.pop(user_key, None) is not None

    def _publish_all(self) -> None:
        self.was_published = True
        self._publish([self._all()])

    def _all(self) -> Ephemeral:
        return Ephemeral(self._thread_id, TYPING, TypingUsers(list(self._listed.values())))

    def whole(self, *, anew: bool) -> Ephemeral | None:
        """The list for a new subscriber; where it may have an older one (`anew`), also an empty list."""
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
