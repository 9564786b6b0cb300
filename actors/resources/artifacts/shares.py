"""Links by which an artifact is read without a token, as long as they are good. Pure.

A link is a signed URL: it has the rights of the user who made it, as they are when it is used. It ends when it expires,
when it is revoked, and when that user no longer sees the artifact.
"""

from dataclasses import dataclass

from actors.auth.identity import Identity
from actors.commands import Command, Makes
from actors.errors import Forbidden
from actors.queries import IdentityQuery, Query
from actors.resources.members import MemberRole
from actors.resources.users import Author


@dataclass(frozen=True, slots=True)
class Share:
    id: str
    artifact_id: str
    creator: Author
    version: int | None
    """None: the newest, as it is when the link is used."""
    label: str | None
    created_at: int
    expires_at: int
    """Milliseconds since 1970."""
    revoked_at: int | None
    views: int
    viewed_at: int | None


@dataclass(slots=True, kw_only=True)
class CreateShare(Command[Share]):
    """Answers the `Share`."""

    share_id: str
    artifact_id: str
    expires_at: int
    version: int | None = None
    label: str | None = None


@dataclass(slots=True, kw_only=True)
class RevokeShare(Command[Share]):
    """Answers the `Share`; again, the same."""

    artifact_id: str
    share_id: str


@dataclass(frozen=True, slots=True)
class CountView(Makes[None]):
    """A link was used. Answers None."""

    share_id: str


@dataclass(frozen=True, slots=True)
class GetShare(Query[Share]):
    """Who may know of it, the URL's signature says."""

    share_id: str


@dataclass(frozen=True, slots=True)
class ListShares(IdentityQuery[tuple[Share, ...]]):
    """Of an artifact, also those that have ended lately; the newest first."""

    artifact_id: str


def must_be_good(share: Share, now: int) -> None:
    """Raises `Forbidden`. `now`: milliseconds since 1970."""
    if share.revoked_at is not None:
        raise Forbidden("This link was revoked.", code="signature_invalid")
    if share.expires_at <= now:
        raise Forbidden("This link has expired; ask for a new one.", code="signature_expired")


def must_revoke(identity: Identity, role: MemberRole | None, creator_key: int) -> None:
    if not (creator_key == identity.user.key or role == "OWNER" or identity.is_admin):
        raise Forbidden("Only the user who made a link, the thread's owners and admins may revoke it.")
