"""What somebody has not read: counted once, then moved on by what happens. Pure."""

from collections.abc import Collection

from actors import limits
from actors.notifications import Notification, ThreadUnread, Unread
from actors.user_events import UserEvent


class Counts:
    """Of one user. Threads that are not here are read to their end."""

    __slots__ = ("_mentions", "_threads", "position")

    def __init__(self, threads: dict[str, tuple[int, int]], mentions: dict[str, str], position: int = 0) -> None:
        """Thread → number of its newest message, and of the one that was read up to; unread mention → its thread."""
        self._threads = threads
        self._mentions = mentions
        self.position = position
        """Of the log of all threads, when they were counted."""

    def __contains__(self, thread_id: str) -> bool:
        return thread_id in self._threads

    def posted(self, thread_id: str, first: int, newest: int, own: int) -> None:
        """Messages `first` to `newest` were written; `own` is the user's newest among them, 0 for none: whoever writes
        has read."""
        known, read = self._threads.get(thread_id, (first - 1, first - 1))
        self._threads[thread_id] = (max(known, newest), max(read, own))

    def apply(self, event: UserEvent) -> set[str]:
        """Move on by an entry of the user's own log; answers the threads whose counts may be others now."""
        data = event.data
        if isinstance(data, Notification):
            if data.kind == "mention":
                self._mentions[data.id] = data.thread_id
                return {data.thread_id}
            return set()
        match event.type:
            case "thread.read" if isinstance(data, dict):
                return self._read(data["thread_id"], data["last_read_number"], data["unread_count"])
            case "thread.left" if isinstance(data, dict):
                return self._left(data["thread_id"])
            case "notification.read" if isinstance(data, dict):
                return self._seen([data["id"]])
            case "notification.cancelled" if isinstance(data, dict):
                return self._seen(data["ids"])
            case "notifications.read_all":
                return self._seen(list(self._mentions))
        return set()

    def _read(self, thread_id: str, number: int, unread: int) -> set[str]:
        known, _ = self._threads.get(thread_id, (0, 0))
        self._threads[thread_id] = (max(known, number + unread), number)
        return {thread_id}

    def _left(self, thread_id: str) -> set[str]:
        self._threads.pop(thread_id, None)
        self._seen([mention for mention, where in self._mentions.items() if where == thread_id])
        return {thread_id}

    def _seen(self, mentions: Collection[str]) -> set[str]:
        return {self._mentions.pop(mention) for mention in mentions if mention in self._mentions}

    def unread(self, among: Collection[str] | None = None) -> Unread:
        """The sums are of all threads; told one by one are those `among` which it is asked for, also where nothing is
        unread any more, or else those with most that is unread."""
        named: dict[str, int] = {}
        for thread_id in self._mentions.values():
            named[thread_id] = named.get(thread_id, 0) + 1
        counts = {uid: newest - read for uid, (newest, read) in self._threads.items() if newest > read}
        every = counts.keys() | named.keys()
        wanted = every if among is None else among
        shown = [ThreadUnread(uid, counts.get(uid, 0), named.get(uid, 0)) for uid in wanted]
        shown.sort(key=lambda thread: (-thread.mentions, -thread.messages, thread.thread_id))
        return Unread(len(every), sum(counts.values()), len(self._mentions), shown[: limits.UNREAD_THREADS])
