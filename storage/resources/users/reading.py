"""Users: one, all of them, and those that a filter names."""

from collections.abc import Iterable
from typing import Any, Final

from peewee import SqliteDatabase, Value, fn

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.user_events import USER_UPDATED
from actors.resources.users import FindUserByEmail, GetUser, ListUsers, User, UserFilter
from actors.text.email_address import folded
from actors.text.names import handles
from storage.compiled import Prepared, Shaped
from storage.readers import rows, weight
from storage.readers.answers import answers
from storage.readers.paging import Row, page_of
from storage.resources.user_log.replay import Entry, UserLoaders, UserReplay
from storage.schema import models

_U, _H = models.User, models.UserHandle


_BY_ID = Prepared(lambda given: rows.users_query().where(_U.uid == given.id))
_BY_KEY = Prepared(lambda given: rows.users_query().where(_U.id == given.key))


@answers(GetUser)
def one(database: SqliteDatabase, user_id: str) -> User:
    row = _BY_ID.first(database, id=user_id)
    if row is None:
        raise NotFound("user", user_id)
    return rows.user_of(row)


@answers(FindUserByEmail)
def by_email(database: SqliteDatabase, identity: Identity, email: str) -> User:
    """For any `identity`. Raises `NotFound`, also for a user who is deleted."""
    row = rows.first(database, rows.users_query().where((_U.email == folded(email)) & _U.deleted_at.is_null()))
    if row is None:
        raise NotFound("user", email)
    return rows.user_of(row)


@answers(ListUsers)
def page(
    database: SqliteDatabase, identity: Identity, wanted: UserFilter, *, limit: int, after: int | None
) -> Page[User]:
    """Oldest account first."""
    if wanted.text is None:
        found = _page_of_all(database, wanted, limit, after or 0)
    else:
        query = rows.users_query().where(*_conditions(identity, wanted), _U.id > (after or 0))
        found = rows.iterate(database, query.order_by(_U.id).limit(limit + 1))
    users, more = page_of(found, limit, lambda part: map(rows.user_of, part), weight.user)
    return Page(users, str(users[-1].key) if more else None)


def _page_of_all(database: SqliteDatabase, wanted: UserFilter, limit: int, after: int) -> Iterable[Row]:
    """Peewee takes ten times as long to write the statement as SQLite to answer it."""
    statement = _PAGE.of(
        by_email=wanted.email is not None, by_kind=wanted.kind is not None, by_status=wanted.status is not None
    )
    found: Iterable[Row] = statement.execute(
        database, after=after, most=limit + 1, email=folded(wanted.email or ""), kind=wanted.kind, status=wanted.status
    )
    return found


def _page_query(given: Any, *, by_email: bool, by_kind: bool, by_status: bool) -> Any:
    query = rows.users_query().where(_U.id > given.after).order_by(_U.id).limit(given.most)
    if by_email:
        query = query.where((_U.email == given.email) & (_U.email != ""))
    if by_kind:
        query = query.where(_U.kind == given.kind)
    return query.where(_U.status == given.status) if by_status else query


_PAGE = Shaped(_page_query)


def _conditions(identity: Identity, wanted: UserFilter) -> list[object]:
    found: list[object] = [_U.id > 0]
    if wanted.text is not None:
        found.append(_named(wanted.text) | (_U.email.contains(folded(wanted.text)) if identity.is_admin else Value(0)))
    if wanted.email is not None:
        found.append((_U.email == folded(wanted.email)) & (_U.email != ""))
    if wanted.kind is not None:
        found.append(_U.kind == wanted.kind)
    if wanted.status is not None:
        found.append(_U.status == wanted.status)
    return found


def _named(text: str) -> object:
    """Of a name. The table of handles, which has the beginning of the address as well, says who is looked at."""
    part = handles(text, "")[0]
    bearers = _H.select(_H.user).where(_H.handle.contains(part))
    return _U.id.in_(bearers) & fn.comparable_name(_U.name).contains(part)


def by_key(database: SqliteDatabase, key: int) -> User:
    row = _BY_KEY.first(database, key=key)
    assert row is not None
    return rows.user_of(row)


def _replayed(replay: UserReplay, _: Entry) -> User:
    found: User = replay.once(User, lambda: by_key(replay.database, replay.user_key))
    return found


USER_LOADERS: Final[UserLoaders] = {USER_UPDATED: _replayed}
