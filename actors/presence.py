"""Who is present in a thread, and who types: told to those who are there, never logged.

Presence is told as what has changed, gathered for `PRESENCE_SECONDS`; who leaves is told a little later, so that a
reconnect is no blink. With more than `PRESENCE_USERS` connections only their number is told. Pure but for its timer.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from actors import limits
from actors.events import Ephemeral
from actors.records import Author, Identity


def person(author: Author) -> dict[str, Any]:
    return {"id": author.id, "name": author.name, "kind": author.kind}


class Presence:
    """Of one live thread. Kept only while somebody was told of somebody else."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread_id: str,
        *,
        present: Callable[[], Collection[Identity]],
        tell: Callable[[list[Ephemeral]], None],
    ) -> None:
        """`present` answers the identities of all connections that listen now."""
        self._loop = loop
        self._thread_id = thread_id
        self._present = present
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None
        self._told: dict[int, Author] = {}
        """User key → who the others were told is there."""
        self._told_count = 0
        self._absent_since: dict[int, float] = {}

    def changed(self) -> None:
        """Somebody came or went."""
        if self._timer is None:
            self._timer = self._loop.call_later(limits.PRESENCE_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        connections = self._present()
        if len(connections) > limits.PRESENCE_USERS:
            self._told, self._absent_since = {}, {}
            people = len({identity.user.key for identity in connections})
            if people > 1 or self._told_count:
                self._tell_if_changed(people, [], [])
            return
        now = {identity.user.key: identity.author for identity in connections}
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
        elif len(self._told) <= 1:
            self._told = {}

    def _left(self, now: dict[int, Author]) -> list[Author]:
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
            told = {"count": count, "joined": list(map(person, joined)), "left": list(map(person, left))}
            self._tell([Ephemeral(self._thread_id, "presence", told)])

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Typing:
    """Who types in one live thread: the whole list each time, so that a piece that was missed matters to nobody."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, thread_id: str, *, tell: Callable[[list[Ephemeral]], None]
    ) -> None:
        self._loop = loop
        self._thread_id = thread_id
        self._tell = tell
        self._until: dict[int, float] = {}
        self._authors: dict[int, Author] = {}
        self._told_at: dict[int, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self, author: Author) -> None:
        """They type, for the next seconds. Told at once, but each of them at most so often."""
        now = self._loop.time()
        is_news = author.key not in self._until
        self._until[author.key] = now + limits.TYPING_SECONDS
        self._authors[author.key] = author
        if is_news and now - self._told_at.get(author.key, -limits.TYPING_PAUSE_SECONDS) >= limits.TYPING_PAUSE_SECONDS:
            self._told_at[author.key] = now
            self._tell_all()
        if self._timer is None:
            self._timer = self._loop.call_later(limits.TYPING_SECONDS, self._expire)

    def end(self, user_key: int) -> None:
        """They have stopped, or sent it."""
        if self._until.pop(user_key, None) is not None:
            del self._authors[user_key]
            self._tell_all()

    def _tell_all(self) -> None:
        self._tell([Ephemeral(self._thread_id, "typing", {"users": list(map(person, self._authors.values()))})])

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        expired = [key for key, until in self._until.items() if until <= now]
        for key in expired:
            del self._until[key], self._authors[key]
        self._told_at = {key: at for key, at in self._told_at.items() if now - at < limits.TYPING_PAUSE_SECONDS}
        if expired:
            self._tell_all()
        if self._until:
            next_end = min(self._until.values()) - now
            self._timer = self._loop.call_later(max(next_end, 0.1), self._expire)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
