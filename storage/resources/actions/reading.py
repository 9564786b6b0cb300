"""Actions read: one, those of a user, those on a message or an artifact; and loaded for events."""

from functools import partial
from typing import Any, Final

import orjson
from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.actions import (
    ACTION_CREATED,
    ACTION_UPDATED,
    ACTIONS_DELETED,
    ARTIFACT_ACTION_CREATED,
    ARTIFACT_ACTION_UPDATED,
    FORM_EXPIRED,
    Action,
    ActionRole,
    ActionStatus,
    ArtifactAction,
    GetAction,
    ListActions,
    ListActionsBy,
    ListArtifactActions,
    ListMessageActions,
)
from actors.resources.user_events import Facts
from storage.readers import access, rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.actions import records
from storage.resources.actions.records import A, T
from storage.resources.artifacts import reading as artifacts
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.resources.messages import reading as messages
from storage.resources.user_log.replay import Entry as UserEntry
from storage.resources.user_log.replay import UserLoaders, UserReplay, facts
from storage.schema import models


@answers(GetAction)
def one(database: SqliteDatabase, identity: Identity, action_id: str) -> Action:
    found = records.of(database, rows.fetch(database, records.query().where(A.uid == action_id)))
    if not found or not may_see(database, identity, found[0]):
        raise NotFound("action", action_id)
    return found[0]


def may_see(database: SqliteDatabase, identity: Identity, action: Action) -> bool:
    """Rights follow the thread: who has left it sees nothing of it any more."""
    if identity.user.key not in (action.user.key, action.author.key) and not identity.is_admin:
        return False
    try:
        access.visible_thread(database, identity, action.thread_id)
    except NotFound:
        return False
    return True


@answers(ListActions)
def page(
    database: SqliteDatabase,
    identity: Identity,
    *,
    role: ActionRole,
    status: ActionStatus | None,
    limit: int,
    before: int | None,
) -> Page[Action]:
    R, me = models.Member, identity.user.key
    threads = R.select(R.thread).where(R.user == me)
    wanted = ((A.author if role == "author" else A.user) == me) & T.id.in_(threads)
    if status is not None:
        wanted &= A.status == status
    return _page(database, wanted, limit, before)


@answers(ListMessageActions)
def page_of_message(
    database: SqliteDatabase, identity: Identity, message_id: str, *, limit: int, before: int | None
) -> Page[Action]:
    message = messages.one(database, identity, message_id)
    wanted = A.message == message.key
    if message.author.key != identity.user.key and not identity.is_admin:
        wanted &= A.user == identity.user.key
    return _page(database, wanted, limit, before)


@answers(ListArtifactActions)
def page_of_artifact(
    database: SqliteDatabase, identity: Identity, artifact_id: str, *, limit: int, before: int | None
) -> Page[Action]:
    artifact = artifacts.one(database, identity, artifact_id, with_content=False)
    return _page(database, A.artifact == artifact.key, limit, before)


@answers(ListActionsBy)
def actions_by(database: SqliteDatabase, user_id: str, *, limit: int, after: int | None) -> Page[Action]:
    U = models.User
    user = rows.first(database, U.select(U.id).where(U.uid == user_id))
    if user is None:
        raise NotFound("user", user_id)
    query = records.query().where((A.user == user[0]) & (A.id > (after or 0)))
    found = rows.iterate(database, query.order_by(A.id).limit(limit + 1))
    shown, more = page_of(found, limit, partial(records.of, database), weight.of)
    return Page(shown, str(shown[-1].key) if more else None)


def page_of_all(
    database: SqliteDatabase, *, thread_id: str | None, status: ActionStatus | None, limit: int, before: int | None
) -> Page[Action]:
    """Of all users, the newest first, for the terminal."""
    wanted = A.id > 0
    if thread_id is not None:
        wanted &= T.uid == thread_id
    if status is not None:
        wanted &= A.status == status
    return _page(database, wanted, limit, before)


def _page(database: SqliteDatabase, wanted: Any, limit: int, before: int | None) -> Page[Action]:
    query = records.query().where(wanted)
    if before is not None:
        query = query.where(A.id < before)
    found = rows.iterate(database, query.order_by(A.id.desc()).limit(limit + 1))
    shown, more = page_of(found, limit, partial(records.of, database), weight.of)
    return Page(shown, str(shown[-1].key) if more else None)


# Loaded for a replay

_UPDATES = (ACTION_CREATED, ACTION_UPDATED)


def _replayed(replay: UserReplay, entry: UserEntry) -> Action | Facts:
    """Of an action that was deleted since, or that the user may not see any more, only its id."""
    found: dict[str, Action] = replay.once(ACTION_CREATED, lambda: _updated(replay))
    return found.get(entry.facts["id"], entry.facts)


def _updated(replay: UserReplay) -> dict[str, Action]:
    ids = [entry["id"] for kind in _UPDATES for entry in replay.facts_of(kind)]
    return records.by_ids(replay.database, replay.user_key, ids)


USER_LOADERS: Final[UserLoaders] = {
    ACTION_CREATED: _replayed, ACTION_UPDATED: _replayed, ACTIONS_DELETED: facts, FORM_EXPIRED: facts,
}  # fmt: skip


def _of_artifact(replay: Replay, entry: Entry) -> ArtifactAction:
    """As it is now. It is found by its id: a key may be another action's by now, where its own was deleted."""
    named = orjson.loads(entry.data or "{}")
    action: Action | None = replay.once((Action, named["id"]), lambda: records.by_id(replay.database, named["id"]))
    return ArtifactAction(named["id"], named["artifact_id"], action)


LOADERS: Final[Loaders] = {ARTIFACT_ACTION_CREATED: _of_artifact, ARTIFACT_ACTION_UPDATED: _of_artifact}


@weight.of.register
def _weight(action: Action) -> int:
    return (
        2 * weight.FIXED + weight.author(action.author) + weight.author(action.user) + weight.carried(action.metadata)
        + weight.carried(action.block) + weight.carried(action.value) + weight.carried(action.state)
        + weight.text(action.text) + weight.carried(action.errors)
    )  # fmt: skip
