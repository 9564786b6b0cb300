"""Users as an administrator names them: by id or by e-mail address."""

from peewee import SqliteDatabase, fn

from actors.errors import Conflict, NotFound
from actors.resources.users import User
from storage.readers import rows
from storage.schema import models


def find(database: SqliteDatabase, named: str) -> User:
    """Raises `NotFound`, and `Conflict` where several have the address."""
    U = models.User
    same = (U.uid == named) | (fn.LOWER(U.email) == named.lower()) if named else (U.uid == named)
    found = [rows.user_of(row) for row in rows.fetch(database, rows.users_query().where(same).order_by(U.id))]
    if not found:
        raise NotFound("user", named)
    if len(found) > 1:
        ids = ", ".join(user.id for user in found)
        raise Conflict(f"{len(found)} users have the e-mail address {named!r}; name one of them by id: {ids}.")
    return found[0]
