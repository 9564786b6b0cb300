"""The user actor: publishes the log of one user to the user's devices, and pushes unread counts.

Most connected users have no actor: `actors/users/directory.py` starts it with the first event.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pykka

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.channel import ListPresent, Subscribe, Subscribed, Unsubscribe
from actors.delivery.connection import Follow
from actors.delivery.in_order import InOrder
from actors.delivery.publication import EphemeralPublications, Publication, Publications
from actors.errors import Internal, ShuttingDown, XpError
from actors.queries import Reads
from actors.resources.user_events import (
    THREAD_JOINED,
    THREAD_READ,
    UNREAD,
    ReadUserLog,
    UserEphemeral,
    UserEvent,
    UserLogPage,
)
from actors.runtime.loop_actor import LoopActor, LoopFuture, Ref, handles
from actors.users.inbox import CheckLog, Deleted, Posted, SendUnread, UserEventsCommitted
from actors.users.unread import Counts, CountUnread

logger = logging.getLogger("actors.user")

EncodeUserEvent = Callable[[UserEvent | UserEphemeral], bytes]
"""As every device of the user gets it. Called once an event."""


class Online:
    """A connected user: all the state that idle connections cost here."""

    __slots__ = ("actor", "connections", "head", "user_id", "user_key")

    def __init__(self, user_key: int, user_id: str, head: int) -> None:
        self.user_key = user_key
        self.user_id = user_id
        self.head = head
        """Of the log, as far as it was published."""
        self.connections: dict[Ref, None] = {}
        """A set in order of joining."""
        self.actor: UserActor | None = None

    @property
    def channel(self) -> str:
        return f"user:{self.user_id}"


@dataclass(frozen=True, slots=True)
class _Looked:
    page: UserLogPage | XpError


@dataclass(frozen=True, slots=True)
class _Counted:
    counts: Counts | None


class UserActor(LoopActor):
    def __init__(
        self,
        online: Online,
        *,
        reads: Reads,
        encode: EncodeUserEvent,
        followers: Callable[[str], Collection[Ref]],
        on_left: Callable[[Online], None],
    ) -> None:
        """`followers` answers the subscribers of a live thread, which count for themselves. `on_left` is called after
        the last connection has left."""
        super().__init__()
        self._online = online
        self._reads = reads
        self._encode = encode
        self._followers = followers
        self._on_left = on_left
        self._following: set[Ref] = set()
        """Connections that know they get this channel."""
        self._order: InOrder[UserEvent] = InOrder()
        self._looking: asyncio.Task[None] | None = None
        self._look_again = False
        self._look_later: asyncio.TimerHandle | None = None
        """After a read of the log that failed."""
        self._count_later: asyncio.TimerHandle | None = None
        """After a read of the counts that failed."""
        self._waiting: list[LoopFuture[Any]] = []
        self._counts: Counts | None = None
        self._counting: asyncio.Task[None] | None = None
        self._uncounted: list[Posted | Deleted | UserEvent] = []
        """Arrived while the counts are read."""
        self._changed: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None

    # Subscribers

    @handles(Subscribe)
    def _subscribe(self, message: Subscribe) -> LoopFuture[Any]:
        """The session has checked whose channel it is. Answers the head of the stored log: other processes may have
        written."""
        connection = message.connection
        self._online.connections[connection] = None
        self._following.add(connection)
        reply = self.defer()
        self._waiting.append(reply)
        self._look(CheckLog())
        return reply

    @handles(Unsubscribe)
    def _unsubscribe(self, message: Unsubscribe) -> None:
        self._online.connections.pop(message.connection, None)
        self._following.discard(message.connection)

    def on_turn_end(self) -> None:
        self._retire_if_left()

    def _retire_if_left(self) -> None:
        if not (self._online.connections or self._inbox or self._waiting or self.actor_stopped.is_set()):
            self._on_left(self._online)
            self.stop()

    @handles(ListPresent)
    def _list_present(self, message: ListPresent) -> list[tuple[str, Identity]]:
        """All connections are of the caller."""
        return [(connection.actor_urn, message.identity) for connection in self._online.connections]

    # The log

    @handles(UserEventsCommitted)
    def _publish(self, message: UserEventsCommitted) -> None:
        self._tell_next(message.events)
        if self._order.early:
            self._look(CheckLog())

    def _tell_next(self, events: Sequence[UserEvent]) -> None:
        run = self._order.following(self._online.head, events)
        if run:
            self._online.head = run[-1].offset
            self._tell([Publication(e.offset, e.offset, e.type, self._encode(e)) for e in run])
            self._count(run)

    def _tell(self, items: list[Publication]) -> None:
        publications = Publications(self._online.channel, items)
        publications.is_low_priority = self._is_crowd
        for connection in self._online.connections:
            self._pass(connection, publications)

    @property
    def _is_crowd(self) -> bool:
        return len(self._online.connections) > limits.CROWD

    def _pass(self, connection: Ref, publications: Publications) -> None:
        with contextlib.suppress(pykka.ActorDeadError):
            if connection not in self._following:
                self._following.add(connection)
                connection.tell(Follow(publications.channel))
            connection.tell(publications)

    @handles(CheckLog)
    def _look(self, _: CheckLog) -> None:
        if self._looking is None:
            self._looking = self.stage.loop.create_task(self._read_log())
        else:
            self._look_again = True  # the running read may have started before the newest commit

    async def _read_log(self) -> None:
        self.urgent(
            _Looked(await _outcome(self._reads.ask(ReadUserLog(self._online.user_key, self._online.head, limit=_PAGE))))
        )

    @handles(_Looked)
    def _take_log(self, message: _Looked) -> None:
        self._looking = None
        page = message.page
        if isinstance(page, XpError):
            self._answer(page)
            self._look_again = False
            self._look_after_a_rest()
            self._retire_if_left()
            return
        if not page.is_whole and page.events:  # older entries were deleted
            self._online.head = max(self._online.head, page.events[0].offset - 1)
        self._tell_next(page.events)
        if self._look_again or page.more:
            self._look_again = False
            self._look(CheckLog())
        else:
            self._answer(None)
            self._retire_if_left()

    def _look_after_a_rest(self) -> None:
        """Look at the log again soon: its entries were announced once, and that announcement does not come again."""
        if self._look_later is None:
            self._look_later = self.stage.loop.call_later(limits.FOLLOW_SECONDS, self._look_now)

    def _look_now(self) -> None:
        self._look_later = None
        if not self.actor_stopped.is_set():
            self._look(CheckLog())

    def _answer(self, error: XpError | None) -> None:
        waiting, self._waiting = self._waiting, []
        for reply in waiting:
            if error is None:
                reply.set(Subscribed(self._online.head, None))
            else:
                reply.set_exception(error)

    # Unread counts

    @handles(Posted)
    def _take_posted(self, message: Posted) -> None:
        self._changed.add(message.thread_id)
        if self._counting is not None:
            self._uncounted.append(message)
        elif self._counts is None or self._is_cut(message, self._counts):
            self._counting = self.stage.loop.create_task(self._read_counts())
        else:
            if message.ended > self._counts.position:
                self._counts.posted(message.thread_id, message.first, message.newest, message.own)
            self._soon(0.0)

    @handles(Deleted)
    def _take_deleted(self, message: Deleted) -> None:
        if self._counting is not None:
            self._uncounted.append(message)
            return
        if self._counts is None:  # whether they were unread is known when that is counted
            self._changed.add(message.thread_id)
            self._counting = self.stage.loop.create_task(self._read_counts())
            return
        fewer = [self._counts.deleted(message.thread_id, each.number, each.position) for each in message.messages]
        if any(fewer):
            self._changed.add(message.thread_id)
            self._soon(0.0)

    @staticmethod
    def _is_cut(message: Posted, counts: Counts) -> bool:
        """Some were written before the count and some after it, and the place in the thread is unknown."""
        return message.began <= counts.position < message.ended and message.thread_id not in counts

    async def _read_counts(self) -> None:
        counts = await _outcome(self._reads.ask(CountUnread(self._online.user_key)))
        self.urgent(_Counted(None if isinstance(counts, XpError) else counts))

    @handles(_Counted)
    def _take_counts(self, message: _Counted) -> None:
        self._counting = None
        self._counts = message.counts
        uncounted, self._uncounted = self._uncounted, []
        if self._counts is None:
            self._count_after_a_rest()
            return
        self._soon(0.0)
        for item in uncounted:
            if isinstance(item, Posted):
                self._take_posted(item)
            elif isinstance(item, Deleted):
                self._take_deleted(item)
            else:
                self._count([item])

    def _count_after_a_rest(self) -> None:
        """Count again soon: the changes that were to be counted are not announced a second time."""
        if self._count_later is None:
            self._count_later = self.stage.loop.call_later(limits.FOLLOW_SECONDS, self._count_now)

    def _count_now(self) -> None:
        self._count_later = None
        if self._counts is None and self._counting is None and not self.actor_stopped.is_set():
            self._counting = self.stage.loop.create_task(self._read_counts())

    def _count(self, events: Sequence[UserEvent]) -> None:
        if self._counting is not None:
            self._uncounted += events
            return
        if self._counts is None:
            return
        for event in events:
            self._changed |= self._counts.apply(event)
        if any(map(_needs_counting, events)):
            self._counting = self.stage.loop.create_task(self._read_counts())
        elif self._changed:
            self._soon(limits.UNREAD_SECONDS)

    def _soon(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.stage.loop.call_later(seconds, self._tell_unread)

    def _tell_unread(self) -> None:
        self._timer = None
        if self._counts is None or self._counting is not None or self.actor_stopped.is_set():
            return
        changed, self._changed = self._changed, set()
        following = [self._followers(thread_id) for thread_id in changed]
        passing: EphemeralPublications | None = None
        for connection in self._online.connections:
            if all(connection in followers for followers in following):
                continue
            passing = passing or self._unread(changed)
            self._pass(connection, passing)

    @handles(SendUnread)
    def _send_unread(self, message: SendUnread) -> None:
        if self._counts is not None and message.connection in self._online.connections:
            self._pass(message.connection, self._unread(self._counts.threads))

    def _unread(self, changed: Collection[str]) -> EphemeralPublications:
        assert self._counts is not None
        return self._ephemeral(UserEphemeral(UNREAD, self._counts.unread(changed)))

    def _ephemeral(self, event: UserEphemeral) -> EphemeralPublications:
        publication = Publication(0, self._online.head, event.kind.name, self._encode(event))
        passing = EphemeralPublications(self._online.channel, [publication])
        passing.is_low_priority = self._is_crowd
        return passing

    @handles(UserEphemeral)
    def _tell_ephemeral(self, event: UserEphemeral) -> None:
        passing = self._ephemeral(event)
        for connection in self._online.connections:
            self._pass(connection, passing)

    def on_stop(self) -> None:
        for task in (self._looking, self._counting):
            if task is not None:
                task.cancel()
        for timer in (self._timer, self._look_later, self._count_later):
            if timer is not None:
                timer.cancel()
        self._answer(ShuttingDown("The server is shutting down; retry in a moment."))


def _needs_counting(event: UserEvent) -> bool:
    """Messages before a member joined are not unread; and an older entry does not show later deletions."""
    return event.type == THREAD_JOINED.name or (event.type == THREAD_READ.name and not event.position)


_PAGE = limits.RECOVERY_EVENTS


async def _outcome(question: Awaitable[Any]) -> Any:
    """What it answers, or the error of the catalogue that it came to."""
    try:
        return await question
    except XpError as error:
        return error
    except Exception:  # every caller gets a reply, whatever failed
        logger.exception("something of a user's own could not be read")
        return Internal()
