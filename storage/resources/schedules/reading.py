"""Schedules read: one, those of a user, those that are due."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import orjson
from peewee import JOIN, SqliteDatabase

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.schedules import (
    SCHEDULE_UPDATED,
    Due,
    DueSchedule,
    GetSchedule,
    ListDueSchedules,
    ListSchedules,
    Schedule,
    ScheduleStatus,
)
from actors.resources.user_events import Facts
from actors.resources.users import User
from storage.compiled import Prepared
from storage.readers import rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.schedules import records
from storage.resources.schedules.records import COLUMNS, S, T
from storage.resources.user_log.replay import Entry, UserLoaders, UserReplay
from storage.schema import identity_models, models

_K = identity_models.ApiKey


@answers(GetSchedule)
def one(database: SqliteDatabase, identity: Identity, schedule_id: str) -> Schedule:
    """Of its user alone: an administrator does not read what a user has not said yet."""
    row = rows.first(database, records.query().where((S.uid == schedule_id) & (S.user == identity.user.key)))
    if row is None:
        raise NotFound("schedule", schedule_id)
    return records.of(row)


@answers(ListSchedules)
def page(
    database: SqliteDatabase,
    identity: Identity,
    *,
    status: ScheduleStatus | None,
    thread_id: str | None,
    limit: int,
    before: int | None,
) -> Page[Schedule]:
    query = records.query().where(S.user == identity.user.key)
    if status is not None:
        query = query.where(S.status == status)
    if thread_id is not None:
        query = query.where(T.uid == thread_id)
    if before is not None:
        query = query.where(S.id < before)
    found = rows.iterate(database, query.order_by(S.id.desc()).limit(limit + 1))
    shown, more = page_of(found, limit, lambda part: [records.of(row) for row in part], weight.of)
    return Page(shown, str(shown[-1].key) if more else None)


_WAITING = Prepared(
    lambda given: (
        records.query(*rows.USER_COLUMNS, _K.scopes)
        .join_from(S, models.User, on=(S.user == models.User.id))
        .join_from(S, _K, JOIN.LEFT_OUTER, on=(S.api_key == _K.uid))
        .where(S.ended_at.is_null())
        .order_by(S.due_at, S.id)
        .limit(given.limit)
    )
)


@answers(ListDueSchedules)
def due(database: SqliteDatabase, now: int, limit: int) -> Due:
    found = _WAITING.all(database, limit=limit + 1)
    ready = [row for row in found[:limit] if row[9] <= now]
    after = found[len(ready) :]
    return Due(
        tuple(DueSchedule(records.of(row), _author(row)) for row in ready),
        after[0][9] if after else None,
    )


def _author(row: Sequence[Any]) -> User:
    """What an API key without the scope `admin` has scheduled has no rights of an admin."""
    scopes, user = row[-1], rows.user_of(row[len(COLUMNS) : -1])
    return user if scopes is None or "admin" in orjson.loads(scopes) else replace(user, role="USER")


# Loaded for a replay


def _replayed(replay: UserReplay, entry: Entry) -> Schedule | Facts:
    found: dict[str, Schedule] = replay.once(SCHEDULE_UPDATED, lambda: _updated(replay))
    return found.get(entry.facts["id"], entry.facts)


def _updated(replay: UserReplay) -> dict[str, Schedule]:
    ids = [facts["id"] for facts in replay.facts_of(SCHEDULE_UPDATED)]
    mine = S.uid.in_(ids) & (S.user == replay.user_key)
    return {row[1]: records.of(row) for row in rows.fetch(replay.database, records.query().where(mine))}


USER_LOADERS: Final[UserLoaders] = {SCHEDULE_UPDATED: _replayed}


@weight.of.register
def _weight(schedule: Schedule) -> int:
    return (
        weight.FIXED + weight.text(schedule.content) + weight.carried(schedule.blocks)
        + weight.carried(schedule.metadata) + weight.text(schedule.reason)
    )  # fmt: skip
