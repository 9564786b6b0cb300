"""Sessions, API keys and what is written down of them become JSON: for the API and for the terminal."""

from typing import Any

from actors.auth.identity import Identity
from actors.resources.api_keys import ApiKey
from actors.resources.audit import AuditEntry
from actors.resources.members import Membership
from actors.resources.sessions import Session
from server.api.render import carried, iso_time, maybe_time
from server.telemetry.error_groups import ErrorGroup

Json = dict[str, Any]


def session_view(session: Session, viewer: Identity) -> Json:
    return {
        "id": session.id,
        "user_id": session.user_id,
        "method": session.method,
        "issuer": None,
        "token_id": None,
        "address": session.address,
        "user_agent": session.user_agent,
        "current": session.id == viewer.session_id,
        "created_at": iso_time(session.created_at),
        "last_seen_at": iso_time(session.last_seen_at),
        "expires_at": iso_time(session.expires_at),
    }


def api_key_view(key: ApiKey, secret: str | None = None) -> Json:
    """`secret`: the key itself, shown once when it is created."""
    return {
        "id": key.id,
        "user_id": key.user_id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "key": secret,
        "created_at": iso_time(key.created_at),
        "expires_at": maybe_time(key.expires_at),
        "last_used_at": maybe_time(key.last_used_at),
    }


def membership_view(membership: Membership) -> Json:
    return {
        "thread_id": membership.thread_id,
        "title": membership.title,
        "role": membership.role,
        "joined_at": iso_time(membership.joined_at),
    }


def error_group_view(group: ErrorGroup) -> Json:
    return {
        "fingerprint": group.fingerprint,
        "kind": group.kind,
        "logger": group.logger,
        "frames": list(group.frames),
        "count": group.count,
        "first_at": iso_time(group.first_at),
        "last": [{"at": iso_time(each.at), "correlation_id": each.correlation_id} for each in group.last],
    }


def audit_view(entry: AuditEntry) -> Json:
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
