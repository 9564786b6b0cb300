"""Who is typing in a live thread: published to its subscribers, never logged. Pure except for the timers."""

import asyncio

from actors import limits
from actors.delivery.ephemeral import Ephemeral, Publish
from actors.resources.presence import TYPING, TypingUsers
from actors.resources.users import Author


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
        if self._listed.get(author.key) == author or author.key in self._pauses:
            return  # else they may have another name by now
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
