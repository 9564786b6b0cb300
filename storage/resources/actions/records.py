"""Rows become actions, with what their messages are now."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from peewee import SqliteDatabase

from actors.resources.actions import Action
from actors.resources.blocks import offers
from storage.readers import rows
from storage.schema import action_models, models

A, M, T = action_models.Action, models.Message, models.Thread
By, Of = models.User.alias("acted"), models.User.alias("wrote")


def query() -> Any:
    return (
        A.select(
            A.id, A.uid, T.uid, M.uid, A.message_version, M.metadata, M.blocks, A.block_id, A.action_id, A.kind,
            A.value, A.state, A.status, A.text, A.errors, A.correlation_id, A.version, A.created_at, A.expires_at,
            A.answered_at, Of.id, Of.uid, Of.name, Of.kind, Of.avatar_url, By.id, By.uid, By.name, By.kind,
            By.avatar_url,
        )
        .join(M, on=(A.message == M.id))
        .join(T, on=(M.thread == T.id))
        .join_from(A, Of, on=(A.author == Of.id))
        .join_from(A, By, on=(A.user == By.id))
        .where(T.deleted_at.is_null())
    )  # fmt: skip


def of(found: Sequence[Sequence[Any]]) -> tuple[Action, ...]:
    """The blocks of a message are parsed once, however many actions it has."""
    layouts = {row[3]: row[6] for row in found if row[6] is not None}
    parsed = {message_id: orjson.loads(blocks) for message_id, blocks in layouts.items()}
    return tuple(_of(row, parsed.get(row[3])) for row in found)


def _of(row: Sequence[Any], blocks: Any) -> Action:
    (key, uid, thread_id, message_id, message_version, metadata, _, block_id, action_id, kind, value, state, status,
     text, errors, correlation_id, version, created_at, expires_at, answered_at) = row[:20]  # fmt: skip
    block = offers.block_of(blocks, block_id)
    return Action(
        key, uid, thread_id, message_id, message_version, metadata,
        orjson.dumps(block[0]).decode() if block is not None else None,
        rows.author_of(row[20:25]), rows.author_of(row[25:30]), block_id, action_id, kind, value, state, status, text,
        errors, correlation_id, version, created_at, expires_at, answered_at,
    )  # fmt: skip


def by_keys(database: SqliteDatabase, keys: Iterable[int]) -> tuple[Action, ...]:
    return of(rows.fetch(database, query().where(A.id.in_(list(keys)))))


def by_ids(database: SqliteDatabase, user_key: int, ids: Sequence[str]) -> dict[str, Action]:
    """Those that a user may still see, as who acted or as the author of the message."""
    if not ids:
        return {}
    R = models.Member
    theirs = R.select(R.thread).where(R.user == user_key)
    mine = ((A.user == user_key) | (A.author == user_key)) & M.thread.in_(theirs)
    found = of(rows.fetch(database, query().where(A.uid.in_(list(ids)) & mine)))
    return {action.id: action for action in found}
