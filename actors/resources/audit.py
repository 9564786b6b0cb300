"""The audit log: administrative acts, and what was refused."""

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from actors.auth.identity import Origin
from actors.commands import Makes
from actors.page import Page
from actors.queries import ADMINISTRATORS, Owner, Query

AuditOutcome = Literal["done", "refused"]
OUTCOMES: tuple[AuditOutcome, ...] = ("done", "refused")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: str
    at: int
    actor_id: str | None
    """None: an unknown user, as with a failed sign-in."""
    actor_name: str
    credential: str
    """`session:<id>`, `api_key:<id>`, `token:<jti>`, or `terminal`."""
    address: str
    user_agent: str
    correlation_id: str
    action: str
    target_kind: str
    target_id: str
    outcome: AuditOutcome
    reason: str
    before: str | None
    """JSON of what an act changed, as it was."""
    after: str | None
    about_id: str | None
    """The user that `before` and `after` describe."""
    origin_salt: bytes | None
    """What address, user agent and correlation id are sealed by; None where they were erased."""
    origin_seal: str
    change_salt: bytes | None
    """What `before` and `after` are sealed by; None where they were erased."""
    change_seal: str
    hash: str
    """SHA-256 over this entry and the hash of the one before it, in hex."""


@dataclass(slots=True, kw_only=True)
class NoteForAudit(Makes[None]):
    """Write down what changed nothing: a refused sign-in, an export, a connection ended."""

    action: str
    origin: Origin
    actor_id: str | None = None
    credential: str = ""
    target_kind: str = ""
    target_id: str = ""
    outcome: AuditOutcome = "done"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ListAuditEntries(Query[Page[AuditEntry]]):
    """The newest first."""

    _: KW_ONLY
    limit: int
    before: int | None
    actor_id: str | None
    target_id: str | None
    action: str | None

    @property
    def owner(self) -> Owner:
        return ADMINISTRATORS
