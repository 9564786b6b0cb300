"""The last activity of a user, as far as it was saved."""

from peewee import SqliteDatabase

from actors.resources.users import GetLastActive
from storage.readers import rows
from storage.readers.answers import answers
from storage.schema.notification_models import UserActivity


@answers(GetLastActive)
def last(database: SqliteDatabase, user_key: int) -> int | None:
    row = rows.first(database, UserActivity.select(UserActivity.active_at).where(UserActivity.user == user_key))
    return row[0] if row is not None else None
