"""Users: one, and all of them."""

from peewee import SqliteDatabase

from actors.errors import NotFound
from actors.records import Page, User
from storage import models, rows, weight
from storage.paging import page_of


def one(database: SqliteDatabase, user_id: str) -> User:
    row = rows.first(database, rows.users_query().where(models.User.uid == user_id))
    if row is None:
        raise NotFound("user", user_id)
    return rows.user_of(row)


def page(database: SqliteDatabase, *, limit: int, after: int | None) -> Page[User]:
    """Oldest account first."""
    query = rows.users_query()
    if after is not None:
        query = query.where(models.User.id > after)
    found = rows.iterate(database, query.order_by(models.User.id).limit(limit + 1))
    users, more = page_of(found, limit, lambda part: map(rows.user_of, part), weight.user)
    return Page(users, str(users[-1].key) if more else None)
