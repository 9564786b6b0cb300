"""The state that a thread's actor holds in memory: a cache of committed data, updated by events. Pure."""

from dataclasses import dataclass, field

from actors import permissions
from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.event_kinds import KINDS
from actors.events import Event
from actors.queries import Query
from actors.resources.members import Member, MemberGone, MemberRole
from actors.resources.messages import Message
from actors.resources.threads import THREAD_DELETED, Control, ControlChange, Thread, ThreadStatus, WhileStreaming
from actors.threads.message_stream import Stream


@dataclass(slots=True)
class ThreadState:
    key: int
    id: str
    status: ThreadStatus
    offset: int
    """Head of the log, as far as this state has seen it."""
    roles: dict[int, MemberRole] = field(default_factory=dict)
    """User key → role, for every member."""
    deleted: bool = False
    streams: dict[str, Stream] = field(default_factory=dict)
    """Open streams, by id of the message."""
    control: Control = "shared"
    while_streaming: WhileStreaming = "parallel"
    created_at: int = 2**63

    def role_of(self, user_key: int) -> MemberRole | None:
        return None if self.deleted else self.roles.get(user_key)

    # What an identity may do here, as far as this state knows; the transaction checks again

    def must_see(self, identity: Identity) -> None:
        """Raises `NotFound`."""
        permissions.must_see(identity, self.role_of(identity.user.key), self.id)

    def must_write(self, identity: Identity) -> None:
        """Raises `NotFound` and `Forbidden`."""
        permissions.must_write(identity, self.role_of(identity.user.key), self.id, self.status)

    def must_go_on(self, identity: Identity) -> None:
        """Each piece of a streamed message takes every right that the message took. Raises as `must_write` does."""
        role = self.role_of(identity.user.key)
        permissions.must_see(identity, role, self.id)
        permissions.must_go_on(identity.user.kind, role, self.status, self.control)

    def check_turn_taking(self, identity: Identity, *, streams: int, opens: bool) -> None:
        """`streams`: how many are open; `opens`: whether this opens another one."""
        permissions.check_turn_taking(identity, self.control, self.while_streaming, streams=streams, opens_stream=opens)

    def may_see(self, identity: Identity) -> bool:
        """Admins see every thread but a deleted one."""
        if self.deleted:
            return False
        try:
            self.must_see(identity)
        except NotFound:
            return False
        return True

    def apply(self, event: Event) -> None:
        """Move on by one event. An older one than the head changes nothing."""
        if event.offset <= self.offset:
            return
        self.offset = event.offset
        match event.data:
            case Member(user=user, role=role):
                self.roles[user.key] = role
            case MemberGone(user):
                self.roles.pop(user.key, None)
            case Thread() as thread:
                self.status, self.while_streaming = thread.status, thread.while_streaming
                self.control = thread.control
            case ControlChange(control=control):
                self.control = control
            case Message() as message:
                self._follow_stream(message)
        if event.type == THREAD_DELETED.name:
            self.deleted = True

    def _follow_stream(self, message: Message) -> None:
        if message.status != "STREAMING" or message.deleted_at is not None:
            self.streams.pop(message.id, None)
        elif message.id not in self.streams:
            author = message.author
            self.streams[message.id] = Stream(message.id, author.key, message.content, author_kind=author.kind)


def changes_access(event: Event) -> bool:
    """Whether a user loses access by this event."""
    return event.type in _ENDING_ACCESS


_ENDING_ACCESS = frozenset(kind.name for kind in KINDS.values() if kind.ends_access is not None)


@dataclass(frozen=True, slots=True)
class LoadThread(Query[ThreadState | None]):
    """What an actor needs to know of a thread; None where there is none."""

    thread_id: str
