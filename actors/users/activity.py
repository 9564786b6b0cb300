"""The status of users: online, idle or offline. Confined to the event loop, and in no log.

A user is *online* while one connection of the user is open and was active lately: the user has written, typed, moved
the read marker, connected, or set the status. Automatic requests of clients (lists, pings) are no activity. A
connection without activity is *idle* after a while, or when its client says so. A REST request belongs to no
connection: see `_behind`. No work here grows with the number of connected users.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from actors import limits
from actors.auth.identity import Identity
from actors.commands import Makes
from actors.errors import XpError
from actors.resources.presence import Status


@dataclass(frozen=True, slots=True)
class SaveActivity(Makes[None]):
    """To the journal: user key → time of the last activity, in milliseconds since 1970."""

    last: Mapping[int, int]


class Connected(Protocol):
    """The part of a connection that is used here."""

    @property
    def identity(self) -> Identity | None: ...


_SAID_IDLE = -math.inf


class Activity:
    def __init__(
        self,
        *,
        clock: Callable[[], float],
        append: Callable[[SaveActivity], Any],
        tell: Callable[[Mapping[int, Status]], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` answers seconds since 1970, `append` sends a command to the journal, `tell` gets the connected users
        whose status has changed, at most once a second. Who is idle is a matter of `monotonic`: clocks are set."""
        self._clock = clock
        self._monotonic = monotonic
        self._append = append
        self._tell = tell
        self._connections: dict[int, dict[Any, float]] = {}
        """User key → connection → moment of its last activity; `_SAID_IDLE` where its client has said so."""
        self._last: dict[int, int] = {}
        """Of connected users, and of users who were connected since the last save."""
        self._unsaved: dict[int, int] = {}
        self._awake: OrderedDict[int, None] = OrderedDict()
        """Connected and not idle users; the least recently active one first."""
        self._went_idle: dict[int, float] = {}
        """Users who disconnected while idle, and when: clients may still show them as idle when they reconnect."""
        self._changed: set[int] = set()
        self._telling: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    # What happens

    def came(self, user_key: int, connection: Any) -> None:
        """A connection of theirs is open."""
        known = self._connections.setdefault(user_key, {})
        is_news = bool(known) or self._went_idle.pop(user_key, None) is not None
        known[connection] = self._monotonic()
        self._did(user_key, connection, is_news=is_news)

    def went(self, user_key: int, connection: Any) -> None:
        known = self._connections.get(user_key, {})
        known.pop(connection, None)
        if known:
            self._judge(user_key)
        elif self._connections.pop(user_key, None) is not None:
            if user_key not in self._unsaved:
                del self._last[user_key]
            if user_key in self._awake:
                del self._awake[user_key]
            else:
                self._went_idle[user_key] = self._monotonic()

    def note(self, user_key: int, *, connection: Any = None, credential: str = "") -> None:
        """They did something: by a connection of theirs, or by REST with a credential."""
        self._last[user_key] = self._unsaved[user_key] = self._now()
        if connection is None:
            connection = max(self._behind(user_key, credential), key=self._used(user_key), default=None)
        if connection is not None:
            self._did(user_key, connection)

    def rest(self, user_key: int, *, connection: Any = None, credential: str = "") -> None:
        """A client says that its user is away. Over REST the client is unknown: the least recently used one is
        taken."""
        if connection is None:
            used = self._used(user_key)
            awake = [each for each in self._behind(user_key, credential) if used(each) != _SAID_IDLE]
            connection = min(awake, key=used, default=None)
        known = self._connections.get(user_key, {})
        if connection in known:
            known[connection] = _SAID_IDLE
            self._judge(user_key)

    def _behind(self, user_key: int, credential: str) -> Collection[Any]:
        """Connections that may belong to the client which asks by REST: those with its credential, where there are."""
        known = self._connections.get(user_key, {})
        same = [each for each in known if each.identity is not None and each.identity.credential == credential]
        return same or known

    def _used(self, user_key: int) -> Callable[[Any], float]:
        known = self._connections.get(user_key, {})
        return lambda connection: known[connection]

    def _did(self, user_key: int, connection: Any, *, is_news: bool = True) -> None:
        """Where it is no news, the presence of the user tells that they are there."""
        known = self._connections.get(user_key)
        if known is None or connection not in known:
            return
        known[connection] = self._monotonic()
        self._last[user_key] = self._unsaved[user_key] = self._now()
        if user_key not in self._awake and is_news:
            self._soon(user_key)
        self._awake[user_key] = None
        self._awake.move_to_end(user_key)

    def _judge(self, user_key: int) -> None:
        """One of their connections counts no more."""
        if user_key not in self._awake:
            return
        if self._used_last(user_key) < self._monotonic() - limits.IDLE_SECONDS:
            del self._awake[user_key]
            self._soon(user_key)

    def _used_last(self, user_key: int) -> float:
        return max(self._connections[user_key].values())

    def _now(self) -> int:
        return int(self._clock() * 1000)

    # What is known

    def status(self, user_key: int) -> Status:
        if user_key not in self._connections:
            return "offline"
        return "online" if user_key in self._awake else "idle"

    def connections(self, user_key: int) -> Collection[Any]:
        """Those of one user that are open."""
        return self._connections.get(user_key, {})

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
        """Find users who have gone idle, and save new activity."""
        before = self._monotonic() - limits.IDLE_SECONDS
        lately = self._monotonic() - 2 * limits.PRESENCE_LEAVE_SECONDS
        self._went_idle = {user_key: at for user_key, at in self._went_idle.items() if at >= lately}
        while self._awake:
            user_key = next(iter(self._awake))
            if self._used_last(user_key) >= before:
                break
            del self._awake[user_key]
            self._soon(user_key)
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
