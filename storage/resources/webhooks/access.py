"""Which webhooks may get something now: asked when an event is queued, and again for each attempt."""

from typing import Any

from peewee import SQL, Case, SqliteDatabase, fn

from storage.readers import rows
from storage.schema import identity_models, models
from storage.schema import webhook_models as webhooks

_W, _B = webhooks.Webhook, webhooks.WebhookThread
_U, _K, _R, _T = models.User, identity_models.ApiKey, models.Member, models.Thread


def may_send(now: Any) -> Any:
    """A condition for a query of webhooks joined with their users: both are active, and the API key that made the
    webhook, if one did, is still good, and may read. `now`: milliseconds since 1970, or a slot for them."""
    is_good = _K.revoked_at.is_null() & (_K.expires_at.is_null() | (_K.expires_at > now)) & _K.scopes.contains("read")
    key = _K.select(SQL("1")).where((_K.uid == _W.api_key) & is_good)
    return (_W.status == "ACTIVE") & (_U.status == "ACTIVE") & (_W.api_key.is_null() | fn.EXISTS(key))


def role() -> Any:
    """For the same query: the role that counts. A key without the scope `admin` has no rights of an admin;
    neither has the webhook that it made."""
    own = (_K.uid == _W.api_key) & _K.scopes.contains("admin")
    with_admin = _W.api_key.is_null() | fn.EXISTS(_K.select(SQL("1")).where(own))
    return Case(None, ((with_admin, _U.role),), "USER")


def sees(database: SqliteDatabase, user_key: int, role: str, thread_key: int, *, is_named: bool) -> bool:
    """A webhook gets what happens where its owner is a member. An administrator who is none has to name the thread."""
    alive = rows.first(database, _T.select(_T.id).where((_T.id == thread_key) & _T.deleted_at.is_null()))
    if alive is None:
        return False
    member = rows.first(database, _R.select(_R.role).where((_R.thread == thread_key) & (_R.user == user_key)))
    return member is not None or (role == "ADMIN" and is_named)


def names(database: SqliteDatabase, webhook_key: int, thread_key: int) -> bool:
    row = rows.first(database, _B.select(_B.thread).where((_B.webhook == webhook_key) & (_B.thread == thread_key)))
    return row is not None
