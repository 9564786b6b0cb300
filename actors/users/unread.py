"""Unread counts of a user: counted once, then updated by events. Pure.

Unread are the messages after the marker, without deleted ones and without the user's own: those are *hidden*.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from actors import limits
from actors.queries import Owner, Query
from actors.resources.notifications import Notification, Sums, ThreadUnread, Unread
from actors.resources.user_events import (
    NOTIFICATION_CANCELLED,
    NOTIFICATION_READ,
    NOTIFICATIONS_READ_ALL,
    PREFERENCES_UPDATED,
    THREAD_LEFT,
    THREAD_READ,
    UserEvent,
)


class ThreadCount:
    """Of one thread. Messages are numbered: 1 for the first of the thread."""

    __slots__ = ("hidden", "newest", "position", "read")

    def __init__(self, newest: int, read: int, hidden: int = 0, position: int = 0) -> None:
        self.newest = newest
        """Number of the newest message."""
        self.read = read
        """Number of the message that the marker stands at."""
        self.hidden = hidden
        """Messages between the two that are not unread."""
        self.position = position
        """Of the log of all threads: deletions up to there are in `hidden` already."""

    @property
    def unread(self) -> int:
        return max(0, self.newest - self.read - self.hidden)


class Counts:
    """Of one user. Threads that are not here are read to their end."""

    __slots__ = ("_mentions", "_muted", "_threads", "position")

    def __init__(
        self,
        threads: dict[str, ThreadCount],
        mentions: dict[str, str],
        position: int = 0,
        muted: Iterable[str] = (),
    ) -> None:
        """`mentions` are the unread ones, each with its thread; `muted` are threads."""
        self._threads = threads
        self._mentions = mentions
        self._muted = set(muted)
        self.position = position
        """Of the log of all threads, when they were counted."""

    def __contains__(self, thread_id: str) -> bool:
        return thread_id in self._threads

    @property
    def threads(self) -> set[str]:
        """All threads whose counts may have been pushed since they were counted."""
        return {*self._threads, *self._mentions.values()}

    def posted(self, thread_id: str, first: int, newest: int, own: int) -> None:
        """Messages `first` to `newest` were written; `own` is the user's newest among them, 0 for none: to write is to
        read."""
        count = self._threads.get(thread_id)
        if count is None:
            count = self._threads[thread_id] = ThreadCount(first - 1, first - 1)
        if own > count.newest:  # an older one is in the marker already, which may have been moved since
            count.read, count.hidden = own, 0
        count.newest = max(count.newest, newest)

    def deleted(self, thread_id: str, number: int, position: int) -> bool:
        """A message of another author is gone, as the log says at `position`; whether fewer are unread for it."""
        count = self._threads.get(thread_id)
        if count is None or number <= count.read or position <= max(count.position, self.position):
            return False
        count.hidden += 1
        return True

    def apply(self, event: UserEvent) -> set[str]:
        """Move on by an entry of the user's own log; answers the threads whose counts may be others now."""
        data = event.data
        if isinstance(data, Notification):
            if data.kind == "mention" and data.read_at is None and data.thread_id is not None:
                self._mentions[data.id] = data.thread_id
                return {data.thread_id}
            return set()
        match event.type:
            case THREAD_READ.name if isinstance(data, dict):
                return self._read(data, event.position)
            case THREAD_LEFT.name if isinstance(data, dict):
                return self._left(data["thread_id"])
            case PREFERENCES_UPDATED.name if isinstance(data, dict):
                return self._mute(data["thread_id"], is_muted=data["muted"])
            case NOTIFICATION_READ.name if isinstance(data, dict):
                return self._seen([data["id"]])
            case NOTIFICATION_CANCELLED.name if isinstance(data, dict):
                return self._seen(data["ids"])
            case NOTIFICATIONS_READ_ALL.name:
                return self._seen(list(self._mentions))
        return set()

    def _read(self, data: dict[str, int | str], position: int) -> set[str]:
        thread_id, number, unread = str(data["thread_id"]), int(data["last_read_number"]), int(data["unread_count"])
        newest = int(data.get("message_count", number + unread))
        known = self._threads.get(thread_id)
        count = ThreadCount(newest, number, newest - number - unread, position)
        count.newest = max(newest, known.newest if known is not None else 0)
        self._threads[thread_id] = count
        return {thread_id}

    def _left(self, thread_id: str) -> set[str]:
        self._threads.pop(thread_id, None)
        self._muted.discard(thread_id)
        self._seen([mention for mention, where in self._mentions.items() if where == thread_id])
        return {thread_id}

    def _mute(self, thread_id: str, *, is_muted: bool) -> set[str]:
        if (thread_id in self._muted) == is_muted:
            return set()
        (self._muted.add if is_muted else self._muted.discard)(thread_id)
        return {thread_id}

    def _seen(self, mentions: Collection[str]) -> set[str]:
        return {self._mentions.pop(mention) for mention in mentions if mention in self._mentions}

    def unread(self, among: Collection[str] | None = None) -> Unread:
        """The sums include all threads. The list holds the threads of `among`, even if nothing is unread there; without
        `among`, the threads with the most unread messages."""
        named: dict[str, int] = {}
        for thread_id in self._mentions.values():
            named[thread_id] = named.get(thread_id, 0) + 1
        counts = {uid: count.unread for uid, count in self._threads.items() if count.unread}
        every = counts.keys() | named.keys()
        muted = every & self._muted
        wanted = every if among is None else among
        shown = [ThreadUnread(uid, counts.get(uid, 0), named.get(uid, 0), uid in self._muted) for uid in wanted]
        shown.sort(key=lambda thread: (-thread.mentions, -thread.messages, thread.thread_id))
        of_muted = Sums(
            len(muted), sum(counts.get(uid, 0) for uid in muted), sum(named.get(uid, 0) for uid in muted)
        )  # fmt: skip
        return Unread(
            len(every), sum(counts.values()), len(self._mentions), shown[: limits.UNREAD_THREADS], of_muted
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CountUnread(Query[Counts]):
    """What a user has not read, in all threads."""

    user_key: int

    @property
    def owner(self) -> Owner:
        return self.user_key
