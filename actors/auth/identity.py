"""The identity behind a request: a user, the rights of the credential, and its expiry."""

from dataclasses import dataclass, replace
from typing import Literal

from actors.resources.user_records import Author, User

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "write", "admin")
FOREVER = 2**40
"""Seconds since 1970: an identity of the server or the terminal has no token that expires."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: a user, as a verified token, session or API key says."""

    user: User
    author: Author
    expires_at: int
    """Seconds since 1970; the token is good until then."""
    token_id: str = ""
    """Of a token of another issuer: its `jti`, or a hash of it."""
    session_id: str = ""
    api_key_id: str = ""
    scopes: frozenset[Scope] | None = None
    """What an API key may do; None: whatever the user may."""
    issuer: str = ""
    """Of a token of another issuer, where it names one."""
    subject: str = ""
    """Of a token of another issuer: its `sub`, which is not the user's first where it was linked to them."""

    @property
    def credential(self) -> str:
        """`session:<id>`, `api_key:<id>` or `token:<jti>`."""
        if self.session_id:
            return f"session:{self.session_id}"
        return f"api_key:{self.api_key_id}" if self.api_key_id else f"token:{self.token_id}"

    @property
    def is_admin(self) -> bool:
        return self.user.role == "ADMIN"

    def has_scope(self, scope: Scope) -> bool:
        """Whether what it came by may do this; the user's own rights are another question."""
        return self.scopes is None or scope in self.scopes

    def of_user(self, user: User) -> "Identity":
        """By the same credential, its user as they are now. A key without the scope `admin` has no rights of an
        admin."""
        limited = user if self.has_scope("admin") else replace(user, role="USER")
        return replace(self, user=limited, author=user.author)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from, for the audit log."""

    address: str
    user_agent: str
    correlation_id: str
