"""What credentials stand for. The sender is not known yet: nothing here writes."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from peewee import SqliteDatabase

from actors.auth.credential_lookups import ByApiKey, BySession, Credential, FindCredentials, Found
from actors.errors import Internal, Unauthenticated
from actors.resources.api_keys import GetGoodKey, UsedKey
from actors.resources.sessions import SignedIn
from actors.resources.users import EnsureUser, User
from actors.text.email_address import folded
from actors.text.normal import line
from storage.clock import now_ms
from storage.compiled import Prepared
from storage.database import is_storage_failure
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.sessions import reading as accounts
from storage.schema import identity_models, models

logger = logging.getLogger("storage.credentials")

_S, _K, _U = identity_models.Session, identity_models.ApiKey, models.User


@answers(FindCredentials)
def find(database: SqliteDatabase, asked: Sequence[Credential]) -> list[Found]:
    """One answer each, in order. A defect with one is the answer to that one alone."""
    now = now_ms()
    return [_find(database, credential, now) for credential in asked]


def _find(database: SqliteDatabase, credential: Credential, now: int) -> Found:
    try:
        if isinstance(credential, BySession):
            return _by_session(database, credential, now)
        if isinstance(credential, ByApiKey):
            return _by_api_key(database, credential, now)
        return _by_claims(database, credential)
    except Unauthenticated as refusal:
        return refusal
    except Exception as error:
        if is_storage_failure(error):
            raise
        logger.exception("a credential could not be looked up")
        return Internal()


def _by_session(database: SqliteDatabase, credential: BySession, now: int) -> SignedIn:
    row = _SESSION.first(database, uid=credential.session_id)
    if row is None:
        raise Unauthenticated("Unknown session; sign in again.")
    session = accounts.session_of(row)
    if session.ended_at is not None or session.expires_at <= now:
        raise Unauthenticated("The session has ended; sign in again.")
    return SignedIn(rows.user_of(row[_OF_SESSION:]), session)


def _by_api_key(database: SqliteDatabase, credential: ByApiKey, now: int) -> UsedKey:
    return _used(_API_KEY.first(database, hash=credential.key_hash), now)


@answers(GetGoodKey)
def good_key(database: SqliteDatabase, key_id: str) -> UsedKey:
    return _used(_API_KEY_BY_ID.first(database, uid=key_id), now_ms())


def _used(row: Sequence[Any] | None, now: int) -> UsedKey:
    if row is None:
        raise Unauthenticated("Unknown API key.")
    key = accounts.api_key_of(row)
    if key.revoked_at is not None:
        raise Unauthenticated("This API key was revoked.")
    if key.expires_at is not None and key.expires_at <= now:
        raise Unauthenticated("This API key has expired.")
    return UsedKey(rows.user_of(row[_OF_API_KEY:]), key)


_OF_SESSION, _OF_API_KEY = 11, 10
"""Columns of the session and of the key; those of its user follow."""
_SESSION = Prepared(
    lambda given: accounts.sessions_query().select_extend(*rows.USER_COLUMNS).where(_S.uid == given.uid)
)
_API_KEY = Prepared(
    lambda given: accounts.api_keys_query().select_extend(*rows.USER_COLUMNS).where(_K.hash == given.hash)
)
_API_KEY_BY_ID = Prepared(
    lambda given: accounts.api_keys_query().select_extend(*rows.USER_COLUMNS).where(_K.uid == given.uid)
)


# Tokens of other issuers


@dataclass(frozen=True, slots=True)
class Spoken:
    """A user that tokens of other issuers already belong to."""

    user: User
    claims: str
    """As `claims_text`: what they said last; empty where an administrator made the user and none has spoken."""
    is_linked: bool
    """By issuer and subject, beside the subject that the user is known by."""


def _by_claims(database: SqliteDatabase, said: EnsureUser) -> User | None:
    spoken = spoken_for(database, said.issuer, said.subject)
    if spoken is None or (spoken.claims != claims_text(said) and spoken.user.status == "ACTIVE"):
        return None
    return spoken.user


def spoken_for(database: SqliteDatabase, issuer: str, subject: str) -> Spoken | None:
    """A link goes first: the same subject may be another person's at another issuer. Of a user who was deleted only a
    hash of the subject is left."""
    gone = models.forgotten(subject)
    row = _LINKED.first(database, issuer=issuer, subject=subject, gone=gone)
    if row is not None:
        return Spoken(rows.user_of(row[1:]), row[0], is_linked=True)
    return by_subject(database, subject) or by_subject(database, gone)


def by_subject(database: SqliteDatabase, subject: str) -> Spoken | None:
    row = _KNOWN.first(database, subject=subject)
    return Spoken(rows.user_of(row[1:]), row[0], is_linked=False) if row is not None else None


_X = identity_models.ExternalAccount
_KNOWN = Prepared(lambda given: _U.select(_U.claims, *rows.USER_COLUMNS).where(_U.subject == given.subject))
_LINKED = Prepared(
    lambda given: (
        _X.select(_X.claims, *rows.USER_COLUMNS)
        .join(_U, on=(_X.user == _U.id))
        .where((_X.issuer == given.issuer) & _X.subject.in_([given.subject, given.gone]))
    )
)


def claims_of(said: EnsureUser) -> dict[str, Any]:
    return {
        "email": folded(said.email),
        "name": line(said.name),
        "domain": said.domain,
        "role": said.role,
        "kind": said.kind,
    }


def claims_text(said: EnsureUser) -> str:
    """As it is kept, to see whether a token says something new."""
    return orjson.dumps(claims_of(said)).decode()
