"""Who is there and does something: online, idle or offline. Confined to the event loop, and in no log.

Somebody is *online* while a connection of theirs is open and they have done something lately: written, typed, read up
to somewhere, connected, or said that they are there. What clients ask by themselves (lists, pings) is no deed. Without
one they are *idle* after a while, or when they say so.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from actors import limits
from actors.errors import XpError

Status = Literal["online", "idle", "offline"]


@dataclass(frozen=True, slots=True)
class SaveActivity:
    """To the journal: when each did something last, by user key, in milliseconds since 1970."""

    last: Mapping[int, int]


class Activity:
    def __init__(
        self,
        *,
        clock: Callable[[], float],
        append: Callable[[SaveActivity], Any],
        tell: Callable[[Mapping[int, Status]], None],
    ) -> None:
        """`clock` answers seconds since 1970, `append` gives a command to the journal, `tell` is called with those who
        are connected and have another status than before, at most once a second."""
        self._clock = clock
        self._append = append
        self._tell = tell
        self._connections: dict[int, int] = {}
        self._last: dict[int, int] = {}
        """Of those who are connected, and of those who were here since it was saved."""
        self._unsaved: dict[int, int] = {}
        self._idle: set[int] = set()
        self._changed: set[int] = set()
        self._telling: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    # What happens

    def came(self, user_key: int) -> None:
        """A connection of theirs is open."""
        self._connections[user_key] = self._connections.get(user_key, 0) + 1
        self.note(user_key)

    def went(self, user_key: int) -> None:
        left = self._connections.get(user_key, 0) - 1
        if left > 0:
            self._connections[user_key] = left
        else:
            self._connections.pop(user_key, None)
            self._idle.discard(user_key)

    def note(self, user_key: int) -> None:
        """They did something."""
        self._last[user_key] = self._unsaved[user_key] = int(self._clock() * 1000)
        if user_key in self._idle:
            self._idle.discard(user_key)
            self._soon(user_key)

    def rest(self, user_key: int) -> None:
        """They say that they are away from it."""
        if user_key in self._connections and user_key not in self._idle:
            self._idle.add(user_key)
            self._soon(user_key)

    # What is known

    def status(self, user_key: int) -> Status:
        if user_key not in self._connections:
            return "offline"
        return "idle" if user_key in self._idle else "online"

    def last(self, user_key: int) -> int | None:
        """None where this process does not know better than the database."""
        return self._last.get(user_key)

    # In time

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(limits.ACTIVITY_LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Find who is idle by now, and save what is new."""
        before = int((self._clock() - limits.IDLE_SECONDS) * 1000)
        for user_key in self._connections.keys() - self._idle:
            if self._last.get(user_key, 0) < before:
                self.rest(user_key)
        self._save()

    def _save(self) -> None:
        saved, self._unsaved = self._unsaved, {}
        if not saved:
            return
        try:
            self._append(SaveActivity(saved))
        except XpError:  # overloaded: the next time
            self._unsaved = saved | self._unsaved
            return
        for user_key in saved.keys() - self._connections.keys():
            del self._last[user_key]

    def _soon(self, user_key: int) -> None:
        self._changed.add(user_key)
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(limits.STATUS_SECONDS, self._tell_changed)

    def _tell_changed(self) -> None:
        self._telling = None
        changed, self._changed = self._changed, set()
        self._tell({user_key: self.status(user_key) for user_key in changed if user_key in self._connections})

    def stop(self) -> None:
        """What is new is saved."""
        if self._task is not None:
            self._task.cancel()
        if self._telling is not None:
            self._telling.cancel()
        self._save()
