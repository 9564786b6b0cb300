"""What a thread's actor holds in memory: a cache of what is committed, moved on by events. Pure; no actor in sight."""

from dataclasses import dataclass, field

from actors.events import Event, MemberGone
from actors.records import Member, MemberRole, Thread, ThreadStatus


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

    def role_of(self, user_key: int) -> MemberRole | None:
        return None if self.deleted else self.roles.get(user_key)

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
            case Thread(status=status):
                self.status = status
        if event.type == "thread.deleted":
            self.deleted = True


def changes_access(event: Event) -> bool:
    """Whether after this event somebody may see less than before."""
    return event.type in ("member.removed", "thread.deleted")
