"""Audit entries on the wire."""

from typing import Any

from pydantic import Field

from actors.resources.audit import AuditEntry, AuditOutcome
from server.api.fields import Id, Paged, Time, View
from server.api.render import carried, iso_time


class AuditEntryView(View):
    id: Id
    at: Time
    actor_id: Id | None
    actor_name: str
    credential: str
    address: str
    user_agent: str
    correlation_id: str
    action: str
    target_kind: str
    target_id: str
    outcome: AuditOutcome
    reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    about_id: Id | None
    origin_salt: str | None = Field(description="Hexadecimal; null if the user was erased.")
    origin_seal: str
    change_salt: str | None = Field(description="Hexadecimal; null if the user was erased.")
    change_seal: str
    hash: str


class ListAuditRequest(Paged):
    actor_id: Id | None = Field(default=None, description="Only actions of this user.")
    target_id: str | None = Field(default=None, max_length=200, description="Only actions on the object with this id.")
    action: str | None = Field(default=None, max_length=100)


def audit_view(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": iso_time(entry.at),
        "actor_id": entry.actor_id,
        "actor_name": entry.actor_name,
        "credential": entry.credential,
        "address": entry.address,
        "user_agent": entry.user_agent,
        "correlation_id": entry.correlation_id,
        "action": entry.action,
        "target_kind": entry.target_kind,
        "target_id": entry.target_id,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "before": carried(entry.before),
        "after": carried(entry.after),
        "about_id": entry.about_id,
        "origin_salt": _hex(entry.origin_salt),
        "origin_seal": entry.origin_seal,
        "change_salt": _hex(entry.change_salt),
        "change_seal": entry.change_seal,
        "hash": entry.hash,
    }


def _hex(salt: bytes | None) -> str | None:
    return None if salt is None else salt.hex()
