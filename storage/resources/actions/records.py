"""Rows become actions, with what their messages and artifacts are now."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
from peewee import JOIN, Database, fn

from actors.resources.actions import Action, Subject
from actors.resources.artifacts.contents import unpacked
from actors.resources.blocks import offers
from storage.readers import rows
from storage.schema import action_models, artifact_models, models

A, M, R, T = action_models.Action, models.Message, artifact_models.Artifact, models.Thread
_V, _B = artifact_models.ArtifactVersion, artifact_models.ArtifactBody
By, Of = models.User.alias("acted"), models.User.alias("wrote")
_PEOPLE = 23
"""Where the columns of who answers and who acted begin."""


def query() -> Any:
    """With the newest version of an artifact, but not its content, which a page of actions may share."""
    newest = (_V.artifact == R.id) & (_V.number == R.version)
    return (
        A.select(
            A.id, A.uid, T.uid, M.uid, R.uid, A.subject_version, M.metadata, _V.metadata, M.blocks, _V.body, A.block_id,
            A.action_id, A.kind, A.value, A.state, A.status, A.text, A.errors, A.correlation_id, A.version,
            A.created_at, A.expires_at, A.answered_at, Of.id, Of.uid, Of.name, Of.kind, Of.avatar_url, By.id,
            By.uid, By.name, By.kind, By.avatar_url,
        )
        .join(M, JOIN.LEFT_OUTER, on=(A.message == M.id))
        .join_from(A, R, JOIN.LEFT_OUTER, on=(A.artifact == R.id))
        .join_from(R, _V, JOIN.LEFT_OUTER, on=newest)
        .join_from(A, T, on=(T.id == THREAD))
        .join_from(A, Of, on=(A.author == Of.id))
        .join_from(A, By, on=(A.user == By.id))
        .where(T.deleted_at.is_null())
    )  # fmt: skip


THREAD: Final = fn.COALESCE(M.thread, R.thread)
"""Key of the thread of an action."""


def of(database: Database, found: Sequence[Sequence[Any]]) -> tuple[Action, ...]:
    """The blocks of a subject are parsed once, however many actions it has."""
    of_messages = {row[3]: row[8] for row in found if row[8] is not None}
    parsed = {message_id: orjson.loads(blocks) for message_id, blocks in of_messages.items()}
    bodies = _blocks_of(database, {row[9] for row in found if row[9] is not None})
    return tuple(_of(row, parsed.get(row[3]) if row[3] else bodies.get(row[9])) for row in found)


def _blocks_of(database: Database, keys: set[int]) -> dict[int, list[Any]]:
    """Key of an artifact's content → its blocks."""
    query = _B.select(_B.id, _B.data).where(_B.id.in_(list(keys)))
    return {key: blocks_in(unpacked(data)) for key, data in rows.fetch(database, query)} if keys else {}


def blocks_in(content: str) -> list[Any]:
    """Blocks in the content of an artifact, which is JSON."""
    body = orjson.loads(content)
    return (body.get("blocks") or []) if isinstance(body, dict) else []


def _of(row: Sequence[Any], blocks: Any) -> Action:
    (key, uid, thread_id, message_id, artifact_id, subject_version, of_message, of_artifact, _, _, block_id, action_id,
     kind, value, state, status, text, errors, correlation_id, version, created_at, expires_at,
     answered_at) = row[:_PEOPLE]  # fmt: skip
    block = offers.block_of(blocks, block_id)
    return Action(
        key, uid, thread_id, Subject("message", message_id) if message_id else Subject("artifact", artifact_id),
        subject_version, of_message or of_artifact or "{}",
        orjson.dumps(block[0]).decode() if block is not None else None,
        rows.author_of(row[_PEOPLE : _PEOPLE + 5]), rows.author_of(row[_PEOPLE + 5 :]), block_id, action_id, kind,
        value, state, status, text, errors, correlation_id, version, created_at, expires_at, answered_at,
    )  # fmt: skip


def by_keys(database: Database, keys: Iterable[int]) -> tuple[Action, ...]:
    return of(database, rows.fetch(database, query().where(A.id.in_(list(keys)))))


def by_ids(database: Database, user_key: int, ids: Sequence[str]) -> dict[str, Action]:
    """Those that a user may still see, as who acted or as the author."""
    if not ids:
        return {}
    Member = models.Member
    theirs = Member.select(Member.thread).where(Member.user == user_key)
    mine = ((A.user == user_key) | (A.author == user_key)) & T.id.in_(theirs)
    found = of(database, rows.fetch(database, query().where(A.uid.in_(list(ids)) & mine)))
    return {action.id: action for action in found}


def by_id(database: Database, action_id: str) -> Action | None:
    found = of(database, rows.fetch(database, query().where(A.uid == action_id)))
    return found[0] if found else None
