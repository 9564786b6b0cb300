"""Members of a thread: their roles, and how far they have read."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal

from actors.commands import UNSET, Gone, IfVersion, ThreadCommand, Unset
from actors.events import EventKind
from actors.page import Page
from actors.queries import IdentityQuery, Owner, Query
from actors.resources.users import Author

MemberRole = Literal["OWNER", "MEMBER", "VIEWER"]
MEMBER_ROLES: tuple[MemberRole, ...] = ("OWNER", "MEMBER", "VIEWER")


@dataclass(frozen=True, slots=True)
class Member:
    thread_id: str
    user: Author
    role: MemberRole
    last_read_offset: int
    last_read_number: int
    muted: bool
    version: int
    joined_at: int


@dataclass(slots=True, kw_only=True)
class AddMember(ThreadCommand[Member]):
    user_id: str
    role: MemberRole = "MEMBER"
    invite: bool = False
    """By a mail with a link that signs in, besides the notification."""


@dataclass(slots=True, kw_only=True)
class UpdateMember(ThreadCommand[Member]):
    user_id: str
    role: MemberRole | Unset = UNSET
    muted: bool | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class RemoveMember(ThreadCommand[Gone]):
    user_id: str
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class MarkRead(ThreadCommand[Member]):
    """Move the caller's marker to `offset`, or to the head; never backwards. Answers the `Member`."""

    offset: int | None = None


@dataclass(frozen=True, slots=True)
class ReadChange:
    """A member has read up to here."""

    user: Author
    last_read_offset: int
    last_read_number: int


@dataclass(frozen=True, slots=True)
class MemberGone:
    user: Author


@dataclass(frozen=True, slots=True)
class Membership:
    """A thread that a user is in."""

    thread_id: str
    title: str
    role: MemberRole
    joined_at: int


# Events; a member who has left since is replayed as gone

MEMBER_ADDED: Final = EventKind("member.added", Member | MemberGone, "user")
MEMBER_UPDATED: Final = EventKind("member.updated", Member | MemberGone, "user")
MEMBER_REMOVED: Final = EventKind("member.removed", MemberGone, "user", ends_access="member")
READ_UPDATED: Final = EventKind("read.updated", ReadChange, "user")


@dataclass(frozen=True, slots=True)
class GetMember(IdentityQuery[Member]):
    thread_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class ListMembers(IdentityQuery[Page[Member]]):
    """The oldest account first."""

    thread_id: str
    _: KW_ONLY
    limit: int
    after: int | None


@dataclass(frozen=True, slots=True)
class ListReaders(IdentityQuery[Page[Member]]):
    """Members who have read a message (the newest where none is named) and do not hide it."""

    thread_id: str
    message_id: str | None
    _: KW_ONLY
    limit: int
    after: int | None


@dataclass(frozen=True, slots=True)
class ListMemberKeys(Query[dict[str, list[int]]]):
    """Thread → keys of its members."""

    thread_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class ListMemberships(Query[Page[Membership]]):
    """Threads that a user is in, the oldest thread first."""

    user_id: str
    _: KW_ONLY
    limit: int
    after: int | None

    @property
    def owner(self) -> Owner:
        return self.user_id


@dataclass(frozen=True, slots=True)
class CountMemberships(Query[int]):
    """In how many threads a user is."""

    user_id: str

    @property
    def owner(self) -> Owner:
        return self.user_id
