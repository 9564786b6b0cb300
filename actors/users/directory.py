"""The connected users, and their own channels. Confined to the event loop.

An idle connection costs an entry in a dict: the actor of a user is started with the first event or subscription, and
stops with the last connection.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from actors import limits
from actors.delivery.channel import Unsubscribe
from actors.errors import XpError
from actors.events import Event
from actors.queries import Reads
from actors.resources.members import ListMemberKeys
from actors.resources.messages import MESSAGE_CREATED, MESSAGE_DELETED, Message
from actors.resources.user_events import GetUserLogHeads, UserEphemeral, UserEvent
from actors.resources.users import User
from actors.runtime.loop_actor import Ref, Stage
from actors.users.actor import EncodeUserEvent, Online, UserActor
from actors.users.inbox import CheckLog, Deleted, DeletedMessage, Posted, SendUnread, UserEventsCommitted

logger = logging.getLogger("actors.users")


class LiveThread(Protocol):
    """What is known of a thread whose actor is in memory."""

    @property
    def is_loaded(self) -> bool: ...

    @property
    def member_keys(self) -> Mapping[int, object]: ...

    @property
    def followers(self) -> Mapping[Ref, object]: ...


class _Gathered:
    """New messages and deletions of one thread, collected for its members."""

    __slots__ = ("began", "deleted", "due", "ended", "first", "newest", "own")

    def __init__(self, due: float) -> None:
        self.due = due
        """Time of the event loop when they are pushed."""
        self.first = self.newest = 0
        """Numbers of messages; 0 where none was written."""
        self.began = self.ended = 0
        self.own: dict[int, int] = {}
        """Author → number of their newest message."""
        self.deleted: list[DeletedMessage] = []

    def take(self, event: Event, message: Message) -> None:
        if event.type == MESSAGE_DELETED.name:
            self.deleted.append(DeletedMessage(message.number, message.author.key, event.position))
            return
        if not self.first:
            self.first, self.began = message.number, event.position
        self.newest, self.ended = message.number, event.position
        self.own[event.actor.key] = message.number


class Users:
    def __init__(
        self,
        stage: Stage,
        reads: Reads,
        encode: EncodeUserEvent,
        live_thread: Callable[[str], LiveThread | None],
    ) -> None:
        self._stage = stage
        self._reads = reads
        self._encode = encode
        self._live_thread = live_thread
        self._online: dict[int, Online] = {}
        self._heads: dict[int, int] = {}
        """Heads of logs that grew lately: the user of an identity may have been read before that."""
        self._gathered: dict[str, _Gathered] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._look_again = False
        self._telling: set[asyncio.Task[None]] = set()

    # Who is connected

    def join(self, user: User, connection: Ref) -> int:
        """Connect: from now on the connection gets the events of its user, each once. Answers the head of the log."""
        online = self._entry(user)
        online.connections[connection] = None
        if user.log_offset > online.head:  # another process has written, and the other connections do not have it yet
            self._actor(online).actor_ref.tell(CheckLog())
        return online.head

    def _entry(self, user: User) -> Online:
        online = self._online.get(user.key)
        if online is None:
            head = max(user.log_offset, self._heads.get(user.key, 0))
            online = self._online[user.key] = Online(user.key, user.id, head)
        return online

    def leave(self, user_key: int, connection: Ref) -> None:
        """Disconnect; without effect a second time."""
        online = self._online.get(user_key)
        if online is None:
            return
        online.connections.pop(connection, None)
        if online.actor is None:
            self._forget(online)
        elif not online.actor.actor_stopped.is_set():  # when all stop, these go before connections
            online.actor.actor_ref.tell(Unsubscribe(connection))  # after a Subscribe that is on its way

    def _forget(self, online: Online) -> None:
        """Nobody of them is connected any more."""
        if not online.connections and self._online.get(online.user_key) is online:
            del self._online[online.user_key]

    def actor(self, user: User) -> Ref:
        """Answers `Subscribe`."""
        return self._actor(self._entry(user)).actor_ref

    def _actor(self, online: Online) -> UserActor:
        if online.actor is None:
            online.actor = UserActor(
                online, reads=self._reads, encode=self._encode, followers=self._followers, on_left=self._forget
            )
            self._stage.start(online.actor)
        return online.actor

    def _followers(self, thread_id: str) -> Mapping[Ref, object]:
        thread = self._live_thread(thread_id)
        return thread.followers if thread is not None else {}

    # What happens

    def publish(self, events: Iterable[UserEvent]) -> None:
        """Entries of users' logs that are durable now."""
        by_user: dict[int, list[UserEvent]] = {}
        for event in events:
            by_user.setdefault(event.user_key, []).append(event)
        for user_key, theirs in by_user.items():
            self._remember(user_key, theirs[-1].offset)
            online = self._online.get(user_key)
            if online is not None:
                self._actor(online).actor_ref.tell(UserEventsCommitted(theirs))

    def tell(self, user_key: int, event: UserEphemeral) -> bool:
        """To all devices of a user; answers whether there is any."""
        online = self._online.get(user_key)
        if online is None or not online.connections:
            return False
        self._actor(online).actor_ref.tell(event)
        return True

    def _remember(self, user_key: int, head: int) -> None:
        self._heads.pop(user_key, None)
        self._heads[user_key] = head
        if len(self._heads) > limits.USERS_REMEMBERED:
            del self._heads[next(iter(self._heads))]

    def look(self) -> None:
        """Another process has written, perhaps into the logs of connected users."""
        self._look_again = True
        if self._online and self._task is None:
            self._task = self._stage.loop.create_task(self._look_until_seen())

    async def _look_until_seen(self) -> None:
        """Look again after a failure, and for each call of `look` that came meanwhile."""
        try:
            while self._look_again:
                self._look_again = False
                try:
                    await self._look_at_all()
                except XpError as error:
                    logger.warning("users' logs could not be looked at: %s", error)
                    self._look_again = True
                    await asyncio.sleep(limits.FOLLOW_SECONDS)
        finally:
            self._task = None

    async def _look_at_all(self) -> None:
        keys = list(self._online)
        for start in range(0, len(keys), limits.UNREAD_USERS):
            part = keys[start : start + limits.UNREAD_USERS]
            for user_key, head in (await self._reads.ask(GetUserLogHeads(part))).items():
                online = self._online.get(user_key)
                if online is not None and head > online.head:
                    self._actor(online).actor_ref.tell(CheckLog())

    def send_unread(self, user_key: int, connection: Ref) -> None:
        """A connection of theirs reads again, and has missed counts meanwhile."""
        online = self._online.get(user_key)
        if online is not None and online.actor is not None and not online.actor.actor_stopped.is_set():
            online.actor.actor_ref.tell(SendUnread(connection))

    def look_at(self, user_key: int) -> None:
        """The same, of one."""
        online = self._online.get(user_key)
        if online is not None:
            self._actor(online).actor_ref.tell(CheckLog())

    # What was not read

    def moved(self, thread_id: str, events: Sequence[Event]) -> None:
        """Messages were posted or deleted: collected for `UNREAD_SECONDS`, then pushed."""
        if not self._online:
            return
        for event in events:
            if event.type in _COUNTED and isinstance(event.data, Message):
                gathered = self._gathered.get(thread_id)
                if gathered is None:
                    due = self._stage.loop.time() + limits.UNREAD_SECONDS
                    gathered = self._gathered[thread_id] = _Gathered(due)
                gathered.take(event, event.data)
        if self._gathered and self._timer is None:
            self._timer = self._stage.loop.call_later(limits.UNREAD_SECONDS, self._tell_moved)

    def _due(self) -> dict[str, _Gathered]:
        """Removed from the collected ones, which are in the order of being due."""
        now = self._stage.loop.time() + limits.UNREAD_STEP_SECONDS / 2
        first = itertools.islice(self._gathered.items(), limits.UNREAD_AT_ONCE)
        due = dict(itertools.takewhile(lambda item: item[1].due <= now, first))
        for thread_id in due:
            del self._gathered[thread_id]
        return due

    def _tell_moved(self) -> None:
        """Each thread when it is due, and a few at a time: all at once would block the event loop."""
        self._timer = None
        gathered = self._due()
        if self._gathered:
            wait = next(iter(self._gathered.values())).due - self._stage.loop.time()
            self._timer = self._stage.loop.call_later(max(wait, limits.UNREAD_STEP_SECONDS), self._tell_moved)
        elsewhere: dict[str, _Gathered] = {}
        for thread_id, written in gathered.items():
            thread = self._live_thread(thread_id)
            if thread is not None and thread.is_loaded:
                self._tell_members(thread_id, thread.member_keys, thread.followers, written)
            elif written.deleted:
                elsewhere[thread_id] = written
        if elsewhere:
            task = self._stage.loop.create_task(self._tell_elsewhere(elsewhere))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell_elsewhere(self, gathered: Mapping[str, _Gathered]) -> None:
        """Messages of threads that are not live are deleted too: with the erasure of their author."""
        try:
            for thread_id, members in (await self._reads.ask(ListMemberKeys(list(gathered)))).items():
                self._tell_members(thread_id, dict.fromkeys(members), {}, gathered[thread_id])
        except XpError as error:
            logger.warning("members could not be notified of deleted messages: %s", error)

    def _tell_members(
        self,
        thread_id: str,
        members: Mapping[int, object],
        followers: Mapping[Ref, object],
        written: _Gathered,
    ) -> None:
        """The connected members. One who is subscribed on all devices, and has got no counts, needs none."""
        few = self._online if len(self._online) < len(members) else members
        for user_key in [key for key in few if key in members]:
            online = self._online.get(user_key)
            if online is None:
                continue
            if online.actor is not None or any(each not in followers for each in online.connections):
                actor = self._actor(online).actor_ref
                if written.first:
                    own = written.own.get(user_key, 0)
                    actor.tell(Posted(thread_id, written.first, written.newest, own, written.began, written.ended))
                deleted = [each for each in written.deleted if each.author_key != user_key]
                if deleted:
                    actor.tell(Deleted(thread_id, deleted))

    def __len__(self) -> int:
        return len(self._online)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in (self._task, *self._telling):
            if task is not None:
                task.cancel()


_COUNTED = frozenset({MESSAGE_CREATED.name, MESSAGE_DELETED.name})
"""Events that change unread counts."""
