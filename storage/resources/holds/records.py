"""Rows become legal holds."""

from typing import Any

from peewee import JOIN, fn

from actors.resources.holds import LegalHold
from storage.schema import models
from storage.schema.hold_models import LegalHold as H

_T, _U = models.Thread, models.User
_C = _U.alias("hold_creator")


def query() -> Any:
    is_thread = H.thread.is_null(False)
    made = H.select(
        H.id, H.uid, is_thread, fn.COALESCE(_T.uid, _U.uid), fn.COALESCE(_T.title, _U.name), H.reason, _C.uid,
        H.created_at,
    )  # fmt: skip
    made = made.join(_T, JOIN.LEFT_OUTER, on=(H.thread == _T.id)).join_from(
        H, _U, JOIN.LEFT_OUTER, on=(H.user == _U.id)
    )
    return made.join_from(H, _C, on=(H.creator == _C.id))


def of(row: Any) -> LegalHold:
    key, uid, is_thread, *rest = row
    return LegalHold(key, uid, "thread" if is_thread else "user", *rest)


def about(target_id: str) -> Any:
    return (_T.uid == target_id) | (_U.uid == target_id)
