"""Sessions, API keys and memberships become JSON: for the API and for the terminal."""

from typing import Any

from actors.auth.identity import Identity
from actors.resources.api_keys import ApiKey
from actors.resources.members import Membership
from actors.resources.sessions import Session
from server.api.render import iso_time, maybe_time

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
