"""Users: people, assistants and services."""

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from actors.commands import UNSET, Command, IfVersion, Makes, Unset
from actors.page import Page
from actors.queries import ADMINISTRATORS, IdentityQuery, Owner, Query
from actors.resources.files.erasure import UserGone
from actors.resources.user_records import (
    USER_KINDS as USER_KINDS,
)
from actors.resources.user_records import (
    USER_ROLES as USER_ROLES,
)
from actors.resources.user_records import (
    USER_STATUSES as USER_STATUSES,
)
from actors.resources.user_records import (
    Author as Author,
)
from actors.resources.user_records import (
    User as User,
)
from actors.resources.user_records import (
    UserKind as UserKind,
)
from actors.resources.user_records import (
    UserRole as UserRole,
)
from actors.resources.user_records import (
    UserStatus as UserStatus,
)


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users are listed; None: whatever it is."""

    text: str | None = None
    """Part of the name, however it is written; for administrators of the e-mail address, too."""
    email: str | None = None
    """All of it."""
    kind: UserKind | None = None
    status: UserStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureUser(Makes[User]):
    """Make the user that a verified token speaks of, or bring them up to its claims. Answers the `User`.

    The user is known by `subject`; one who is known by another is the same where the address is: `email` is empty
    where it is not verified.
    """

    subject: str
    email: str
    name: str
    domain: str
    role: UserRole | None
    kind: UserKind
    issuer: str = ""


@dataclass(slots=True, kw_only=True)
class CreateUser(Command[User]):
    email: str
    name: str
    subject: str | None = None
    avatar_url: str | None = None
    role: UserRole = "USER"
    kind: UserKind = "HUMAN"
    domain: str = ""
    metadata: str = "{}"
    invite: bool = False
    """By a mail with a link that signs in."""


@dataclass(slots=True, kw_only=True)
class UpdateUser(Command[User]):
    user_id: str
    email: str | Unset = UNSET
    name: str | Unset = UNSET
    avatar_url: str | Unset | None = UNSET
    role: UserRole | Unset = UNSET
    kind: UserKind | Unset = UNSET
    status: UserStatus | Unset = UNSET
    metadata: str | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class DeleteUser(Command[UserGone]):
    user_id: str
    content: Literal["anonymise", "remove"] = "anonymise"
    """What becomes of their messages: they stay, by a nameless author, or are deleted, step by step."""
    if_version: IfVersion = None


SYSTEM_SUBJECT = "\x01system"
"""Of the user in whose name the terminal acts. Not printable, so that no token can speak for it."""


@dataclass(frozen=True, slots=True)
class EraseContent(Makes[int]):
    """One step: look at some messages, and delete up to `rows` of a user whose content is to be removed.

    Answers `rows`, or 0 when no such user is left.
    """

    rows: int = 100
    looked_at: int = 5_000


@dataclass(frozen=True, slots=True)
class GetUser(Query[User]):
    user_id: str


@dataclass(frozen=True, slots=True)
class FindUserByEmail(IdentityQuery[User]):
    """By the whole address, for every caller; raises `NotFound`, also for a user who is deleted."""

    email: str


@dataclass(frozen=True, slots=True)
class ListUsers(IdentityQuery[Page[User]]):
    """The oldest account first."""

    wanted: UserFilter
    _: KW_ONLY
    limit: int
    after: int | None


@dataclass(frozen=True, slots=True)
class GetLastActive(Query[int | None]):
    """When a user did something last, as far as it was saved; milliseconds since 1970."""

    user_key: int

    @property
    def owner(self) -> Owner:
        return self.user_key


@dataclass(frozen=True, slots=True)
class CountResources(Query[dict[str, int]]):
    """How many users, threads, messages, sessions … there are; for administrators."""

    @property
    def owner(self) -> Owner:
        return ADMINISTRATORS
