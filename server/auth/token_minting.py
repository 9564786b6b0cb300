"""Tokens of ours: for the command line by the shared secret, for sessions by a key of their own. HS256."""

import hmac
import secrets
import uuid
from typing import Any

from actors.resources.users import User, UserKind, UserRole
from server.auth.hs256 import signed
from server.auth.tokens import OWN_ISSUER, OWN_KEY_ID


def mint(
    secret: bytes,
    *,
    sub: str,
    email: str,
    name: str,
    domain: str,
    role: UserRole = "USER",
    kind: UserKind = "HUMAN",
    ttl_seconds: int,
    issuer: str | None = None,
    audience: str | None = None,
    now: float,
) -> str:
    """A token of ours, by HS256."""
    claims: dict[str, Any] = {
        "sub": sub, "email": email, "name": name, "domain": domain, "role": role, "kind": kind,
        "iat": int(now), "exp": int(now) + ttl_seconds, "jti": uuid.uuid4().hex,
        "iss": issuer, "aud": audience,
    }  # fmt: skip
    return signed(secret, {claim: value for claim, value in claims.items() if value is not None})


def own_key(secret: bytes) -> bytes:
    """The key of our own tokens: derived, so that one who may sign tokens for users need not be able to make sessions
    by accident, and no token of theirs is taken for one of ours."""
    return hmac.digest(secret, b"experience-server: tokens of sessions", "sha256")


def mint_own(key: bytes, user: User, session_id: str, *, ttl_seconds: int, now: float) -> str:
    """An access token of a session. The claims beside `sid` are for clients to read."""
    claims = {
        "iss": OWN_ISSUER, "sub": user.subject, "sid": session_id, "iat": int(now), "exp": int(now) + ttl_seconds,
        "email": user.email, "name": user.name, "domain": user.domain, "role": user.role, "kind": user.kind,
        "jti": secrets.token_hex(8),
    }  # fmt: skip
    return signed(key, claims, {"kid": OWN_KEY_ID})
