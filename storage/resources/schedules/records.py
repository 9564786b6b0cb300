"""Rows become schedules."""

from collections.abc import Sequence
from typing import Any

from peewee import JOIN

from actors.resources.schedules import Moment, Schedule
from storage.schema import models, schedule_models

S, T = schedule_models.Schedule, models.Thread
COLUMNS = (
    S.id, S.uid, S.kind, S.user, T.uid, S.message_id, S.content, S.blocks, S.metadata, S.due_at, S.local_time,
    S.time_zone, S.status, S.reason, S.version, S.created_at, S.ended_at,
)  # fmt: skip


def query(*more: Any) -> Any:
    return S.select(*COLUMNS, *more).join(T, JOIN.LEFT_OUTER, on=(S.thread == T.id))


def of(row: Sequence[Any]) -> Schedule:
    (key, uid, kind, user_key, thread_id, message_id, content, blocks, metadata, due_at, local, zone, status, reason,
     version, created_at, ended_at) = row[: len(COLUMNS)]  # fmt: skip
    return Schedule(
        key, uid, kind, user_key, thread_id, message_id, content, blocks, metadata, Moment(due_at, local, zone), status,
        reason, version, created_at, ended_at,
    )  # fmt: skip
