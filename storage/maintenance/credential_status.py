"""Credentials as an administrator asks about them: found whatever has become of them, and not used by that."""

from peewee import SqliteDatabase

from actors.resources.api_keys import ApiKey
from actors.resources.sessions import Session
from actors.resources.users import User
from storage.readers import rows
from storage.resources.credentials.reading import spoken_for
from storage.resources.sessions import reading as accounts
from storage.schema import identity_models


def session(database: SqliteDatabase, session_id: str) -> Session | None:
    """Also one that has ended."""
    row = rows.first(database, accounts.sessions_query().where(identity_models.Session.uid == session_id))
    return accounts.session_of(row) if row else None


def api_key(database: SqliteDatabase, key_hash: bytes) -> ApiKey | None:
    """By the hash of the key itself; also one that was revoked."""
    row = rows.first(database, accounts.api_keys_query().where(identity_models.ApiKey.hash == key_hash))
    return accounts.api_key_of(row) if row else None


def speaks_for(database: SqliteDatabase, issuer: str, subject: str) -> User | None:
    """The user of tokens with this `iss` and `sub`; None where none was used yet."""
    spoken = spoken_for(database, issuer, subject)
    return spoken.user if spoken else None


def is_revoked(database: SqliteDatabase, token_id: str) -> bool:
    Revoked = identity_models.RevokedToken
    return rows.first(database, Revoked.select(Revoked.token_id).where(Revoked.token_id == token_id)) is not None
