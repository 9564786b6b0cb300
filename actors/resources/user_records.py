"""The records of users. Their commands and queries are elsewhere: each names an identity, and that is a user's."""

from dataclasses import dataclass, field
from typing import Literal

UserRole = Literal["USER", "ADMIN"]
UserKind = Literal["HUMAN", "ASSISTANT", "SERVICE"]
UserStatus = Literal["ACTIVE", "DEACTIVATED"]
USER_ROLES: tuple[UserRole, ...] = ("USER", "ADMIN")
USER_KINDS: tuple[UserKind, ...] = ("HUMAN", "ASSISTANT", "SERVICE")
USER_STATUSES: tuple[UserStatus, ...] = ("ACTIVE", "DEACTIVATED")


@dataclass(frozen=True, slots=True)
class Author:
    """The little of a user that stands beside everything they did."""

    key: int
    id: str
    name: str
    kind: UserKind
    avatar_url: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    key: int
    id: str
    subject: str
    """The `sub` of the tokens that speak for this user."""
    email: str
    name: str
    avatar_url: str | None
    role: UserRole
    kind: UserKind
    domain: str
    status: UserStatus
    metadata: str
    version: int
    created_at: int
    updated_at: int
    log_offset: int = field(default=0, compare=False)
    """Where their own log stood when this was read."""

    @property
    def author(self) -> Author:
        return Author(self.key, self.id, self.name, self.kind, self.avatar_url)
