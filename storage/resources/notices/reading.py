"""Which notices are due, and what they say."""

from collections.abc import Sequence

from peewee import SqliteDatabase

from actors import limits
from actors.resources.notices import GetNotice, ListDueNotices, Notice, is_late
from storage.clock import now_ms
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.letters.inviting import may_sign_in
from storage.schema import models, notice_models

N = notice_models.Notice


@answers(ListDueNotices)
def due(database: SqliteDatabase, busy: tuple[int, ...] = ()) -> Sequence[int]:
    is_due = (N.state == "pending") & (N.not_before <= now_ms()) & N.id.not_in(list(busy))
    query = N.select(N.id).where(is_due).order_by(N.not_before, N.id).limit(limits.LETTERS_DUE)
    return [key for (key,) in rows.fetch(database, query)]


@answers(GetNotice)
def one(database: SqliteDatabase, key: int) -> Notice | None:
    columns = (N.kind, N.user, N.address, N.created_at, N.doer, N.came_from, N.user_agent, N.detail)
    row = rows.first(database, N.select(*columns).where((N.id == key) & (N.state == "pending")))
    if row is None:
        return None
    kind, user_key, address, at, *rest = row
    found = rows.first(database, rows.users_query().where(models.User.id == user_key))
    user = rows.user_of(found) if found else None
    if user is None or not may_sign_in(user) or is_late(at, now_ms()):
        return None
    if kind != "email_changed" and user.email != address:
        return None
    return Notice(key, kind, user, address, at, *rest)
