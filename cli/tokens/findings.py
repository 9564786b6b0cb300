"""What there is to say of a credential, and whether a server with these settings takes it. Makes no secret and no
database, and uses nothing up."""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from cli.opening.database import reading
from cli.settings import Settings
from cli.terminal.times import moment_and_distance, now_ms

if TYPE_CHECKING:
    from actors.resources.api_keys import ApiKey
    from actors.resources.sessions import Session
    from actors.resources.users import User
    from server.auth.tokens import Claims, KeySet
    from storage.database import Database

DEACTIVATED = "The account is deactivated."


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Literal["token", "session", "api_key"]
    refusal: str | None
    """Why this server would not take it; None where it would."""
    header: dict[str, Any] | None = None
    claims: dict[str, Any] | None = None
    session: "Session | None" = None
    key: "ApiKey | None" = None
    user: "User | None" = None


def of_key(text: str, data_dir: str | None) -> Finding:
    """Of an API key, found by its hash."""
    from server.auth.issued_secrets import hash_of
    from storage.maintenance import credential_status
    from storage.resources.users import reading as users

    with reading(data_dir) as database:
        key = credential_status.api_key(database, hash_of(text))
        user = users.one(database, key.user_id) if key else None
    if key is None or user is None:
        return Finding("api_key", "It is not an API key of this server.")
    return Finding("api_key", _key_refusal(key, user), key=key, user=user)


def _key_refusal(key: "ApiKey", user: "User") -> str | None:
    if key.revoked_at is not None:
        return f"It was revoked {moment_and_distance(key.revoked_at / 1000)}."
    if key.expires_at is not None and key.expires_at <= now_ms():
        return "It has expired."
    return None if user.status == "ACTIVE" else DEACTIVATED


def of_token(text: str, chosen: Settings) -> Finding:
    """Of a JWT; raises `Unauthenticated` for what is none."""
    from server.auth.tokens import OWN_KEY_ID, inspect_unverified

    header, claims = inspect_unverified(text)
    verified = _verify(text, header, chosen)
    refusal = verified if isinstance(verified, str) else None
    found = Finding("session" if header.get("kid") == OWN_KEY_ID else "token", refusal, header, claims)
    if not _has_database(chosen):
        return found
    with reading(str(chosen["data_dir"])) as database:
        return _of_session(database, found) if found.kind == "session" else _of_other(database, found, verified)


def _has_database(chosen: Settings) -> bool:
    from storage.database import FILE_NAME

    return bool((chosen["data_dir"] / FILE_NAME).exists())


def _of_session(database: "Database", found: Finding) -> Finding:
    """Its session is shown even if the token itself has expired, which lives for minutes only."""
    from storage.maintenance import credential_status
    from storage.resources.users import reading as users

    session = credential_status.session(database, str((found.claims or {}).get("sid")))
    if session is None:
        return replace(found, refusal=found.refusal or "Its session is unknown here.")
    user = users.one(database, session.user_id)
    return replace(found, session=session, user=user, refusal=found.refusal or _session_refusal(session, user))


def _session_refusal(session: "Session", user: "User") -> str | None:
    if session.ended_at is not None:
        return f"Its session has ended: {session.end_reason}."
    if session.expires_at <= now_ms():
        return "Its session has expired."
    return None if user.status == "ACTIVE" else DEACTIVATED


def _of_other(database: "Database", found: Finding, verified: "Claims | str") -> Finding:
    from storage.maintenance import credential_status

    if isinstance(verified, str):
        return found
    user = credential_status.speaks_for(database, verified.issuer, verified.sub)
    refusal = None
    if credential_status.is_revoked(database, verified.token_id):
        refusal = "It was revoked."
    elif user is not None and user.status != "ACTIVE":
        refusal = DEACTIVATED
    return replace(found, user=user, refusal=refusal)


def _verify(text: str, header: dict[str, Any], chosen: Settings) -> "Claims | str":
    """Its claims, or why the keys and rules of this server do not bear it out."""
    from actors.errors import XpError
    from cli.opening.keys import SECRET_FILE, rules_of
    from server.auth.tokens import TokenVerifier

    if chosen["jwt_secret"] is None and chosen["jwt_jwks_url"] is None:
        path = chosen["data_dir"] / SECRET_FILE
        if not path.exists():
            return f"there is no secret in {path}; `xp serve` creates it."
    try:
        rules = replace(rules_of(chosen, _issuers_keys(header, chosen)), own_key=_own_key(chosen))
        return TokenVerifier(rules).verify(text, time.time())
    except XpError as error:
        return error.detail
    except ValueError as error:
        return f"{error}."


def _own_key(chosen: Settings) -> bytes | None:
    from cli.opening.keys import SECRET_FILE
    from server.auth.secret_file import load_or_create_secret
    from server.auth.token_minting import own_key

    if chosen["jwt_secret"] is not None:
        return own_key(str(chosen["jwt_secret"]).encode())
    path = chosen["data_dir"] / SECRET_FILE
    return own_key(load_or_create_secret(path)[0]) if path.exists() else None


def _issuers_keys(header: dict[str, Any], chosen: Settings) -> "KeySet | None":
    """Fetched now; only for a token that one of them may have signed."""
    import asyncio

    from server.auth.tokens import KeySet
    from server.outbound.jwks import JwksRefresher

    url = chosen["jwt_jwks_url"]
    if url is None or header.get("alg") == "HS256":
        return None
    keys = KeySet()

    async def fetch() -> None:
        refresher = JwksRefresher(url, keys)
        try:
            if not await refresher.refresh():
                raise ValueError(f"the issuer's keys could not be fetched from {url}")
        finally:
            await refresher.close()

    asyncio.run(fetch())
    return keys
