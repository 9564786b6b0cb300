"""Sessions, API keys, passwords, and what has changed about who may come in."""

from collections.abc import Sequence
from typing import Any

import orjson
from peewee import SqliteDatabase

from actors import limits
from actors.auth.access_changes import AccessChange, GetNewestAccessChange, ListAccessChanges, ListRevokedTokens
from actors.errors import NotFound
from actors.page import Page
from actors.resources.api_keys import ApiKey, ListApiKeys
from actors.resources.sessions import (
    FindPasswordAccount,
    FindUserByLink,
    FindUserByRefreshToken,
    GetPasswordHash,
    ListSessions,
    PasswordAccount,
    Session,
)
from actors.resources.users import User
from actors.text.email_address import folded
from storage.clock import now_ms
from storage.compiled import Prepared
from storage.readers import rows
from storage.readers.answers import answers
from storage.schema import identity_models as models
from storage.schema.models import User as UserModel

_S, _K, _C, _P = models.Session, models.ApiKey, models.AccessChange, models.Password


def sessions_query() -> Any:
    return _S.select(
        _S.uid, UserModel.uid, _S.method, _S.address, _S.user_agent, _S.created_at, _S.last_seen_at, _S.expires_at,
        _S.ended_at, _S.end_reason, _S.id,
    ).join(UserModel, on=(_S.user == UserModel.id))  # fmt: skip


def session_of(row: Sequence[Any]) -> Session:
    return Session(*row[:10])


def api_keys_query() -> Any:
    return _K.select(
        _K.uid, UserModel.uid, _K.name, _K.prefix, _K.scopes, _K.created_at, _K.expires_at, _K.last_used_at,
        _K.revoked_at, _K.id,
    ).join(UserModel, on=(_K.user == UserModel.id))  # fmt: skip


def api_key_of(row: Sequence[Any]) -> ApiKey:
    uid, user_id, name, prefix, scopes, *times = row[:9]
    return ApiKey(uid, user_id, name, prefix, tuple(orjson.loads(scopes)), *times)


@answers(ListSessions)
def sessions(database: SqliteDatabase, *, user_id: str | None, limit: int, before: int | None) -> Page[Session]:
    """Sessions that go on, the newest first; of one user, or of all."""
    query = sessions_query().where(_S.ended_at.is_null() & (_S.expires_at > now_ms()))
    if user_id is not None:
        query = query.where(UserModel.uid == user_id)
    if before is not None:
        query = query.where(_S.id < before)
    found = rows.fetch(database, query.order_by(_S.id.desc()).limit(limit + 1))
    return Page(tuple(map(session_of, found[:limit])), str(found[limit - 1][10]) if len(found) > limit else None)


@answers(ListApiKeys)
def api_keys(database: SqliteDatabase, *, user_id: str | None, limit: int, before: int | None) -> Page[ApiKey]:
    """Keys that were not revoked, the newest first; of one user, or of all."""
    query = api_keys_query().where(_K.revoked_at.is_null())
    if user_id is not None:
        query = query.where(UserModel.uid == user_id)
    if before is not None:
        query = query.where(_K.id < before)
    found = rows.fetch(database, query.order_by(_K.id.desc()).limit(limit + 1))
    return Page(tuple(map(api_key_of, found[:limit])), str(found[limit - 1][9]) if len(found) > limit else None)


def password_hash(database: Any, user_key: int) -> str | None:
    row = rows.first(database, _P.select(_P.hash).where(_P.user == user_key))
    return row[0] if row else None


@answers(FindPasswordAccount)
def by_address(database: SqliteDatabase, email: str) -> PasswordAccount | None:
    """The one user with this address who has a password."""
    query = UserModel.select(*rows.USER_COLUMNS, _P.hash).join(_P, on=(_P.user == UserModel.id))
    found = rows.fetch(database, query.where(UserModel.email == folded(email)).limit(2)) if email else []
    if len(found) != 1:
        return None
    user = rows.user_of(found[0][:-1])
    return PasswordAccount(user, found[0][-1], _addresses(database, user.key))


def _addresses(database: SqliteDatabase, user_key: int) -> frozenset[str]:
    """From where a user has signed in, the last times."""
    query = _S.select(_S.address).where(_S.user == user_key).order_by(_S.id.desc()).limit(limits.PLACES_KNOWN)
    return frozenset(address for (address,) in rows.fetch(database, query))


@answers(FindUserByLink)
def by_link(database: SqliteDatabase, link_hash: bytes) -> User | None:
    """Of one that is still good."""
    Link = models.SignInLink
    good = (Link.hash == link_hash) & Link.used_at.is_null() & (Link.expires_at > now_ms())
    row = rows.first(database, rows.users_query().join(Link, on=(Link.user == UserModel.id)).where(good))
    return rows.user_of(row) if row else None


@answers(FindUserByRefreshToken)
def by_refresh(database: SqliteDatabase, token_hash: bytes) -> int | None:
    Token = models.RefreshToken
    query = _S.select(_S.user).join(Token, on=(Token.session == _S.id)).where(Token.hash == token_hash)
    row = rows.first(database, query)
    return int(row[0]) if row else None


@answers(GetPasswordHash)
def own_password(database: SqliteDatabase, user_id: str) -> str | None:
    row = rows.first(database, UserModel.select(UserModel.id).where(UserModel.uid == user_id))
    if row is None:
        raise NotFound("user", user_id)
    return password_hash(database, row[0])


# What has changed


@answers(GetNewestAccessChange)
def newest_change(database: SqliteDatabase) -> int:
    row = rows.first(database, _C.select(_C.id).order_by(_C.id.desc()))
    return int(row[0]) if row else 0


_CHANGES = Prepared(
    lambda given: _C.select(_C.id, _C.kind, _C.ref).where(_C.id > given.after).order_by(_C.id).limit(given.limit)
)


@answers(ListAccessChanges)
def changes_after(database: SqliteDatabase, number: int, limit: int = 500) -> tuple[AccessChange, ...]:
    found = _CHANGES.all(database, after=number, limit=limit)
    wanted = [ref for _, kind, ref in found if kind == "user"]
    people = rows.users_query().where(UserModel.uid.in_(wanted))
    users = {row[1]: rows.user_of(row) for row in rows.fetch(database, people)} if wanted else {}
    until = _expiries(database, [ref for _, kind, ref in found if kind == "token"])
    return tuple(AccessChange(number, kind, ref, users.get(ref), until.get(ref)) for number, kind, ref in found)


def _expiries(database: SqliteDatabase, token_ids: Sequence[str]) -> dict[str, int]:
    Revoked = models.RevokedToken
    query = Revoked.select(Revoked.token_id, Revoked.expires_at).where(Revoked.token_id.in_(token_ids))
    return dict(rows.fetch(database, query)) if token_ids else {}


@answers(ListRevokedTokens)
def revoked_tokens(database: SqliteDatabase) -> dict[str, int]:
    """Token → when it would have expired anyway."""
    query = models.RevokedToken.select(models.RevokedToken.token_id, models.RevokedToken.expires_at)
    return dict(rows.fetch(database, query.where(models.RevokedToken.expires_at > now_ms())))
