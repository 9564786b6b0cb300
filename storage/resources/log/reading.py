"""The log, read back: events of one thread after an offset, or of many after a position, with their resources as they
are now. Deleted content is never replayed, and access is checked for each thread."""

import functools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from peewee import SQL, SqliteDatabase

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.event_kinds import KINDS
from actors.events import Event, LogPage
from actors.resources.artifacts.artifact import must_see_artifact
from actors.resources.artifacts.channel import ReadArtifactLog
from actors.resources.log import GetLogHead, ReadLog, ReadLogBetween, ReadThreadLog
from storage import declared
from storage.compiled import Prepared
from storage.readers import access, rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.schema import artifact_models, artifact_stream_models, comment_models, models, proposal_models

_E, _T = models.Event, models.Thread


def epoch(database: SqliteDatabase) -> str:
    return str(_HEAD.all(database)[0][0])


@answers(ReadThreadLog)
def after_offset(
    database: SqliteDatabase,
    identity: Identity,
    thread_id: str,
    offset: int,
    *,
    limit: int,
    up_to: int | None = None,
    reverse: bool = False,
) -> LogPage:
    """Events of one thread after `offset` (before it when `reverse`), `limit` of them at most, or a page's bytes."""
    key, head = access.visible_thread(database, identity, thread_id)
    most = _NEVER if up_to is None else up_to
    if reverse:
        found = _BEFORE.execute(database, thread=key, offset=offset or _NEVER, up_to=most, limit=limit + 1)
    else:
        found = _AFTER.execute(database, thread=key, offset=offset, up_to=most, limit=limit + 1)
    events, more = page_of(found, limit, lambda part: _render(database, part, {key: thread_id}), weight.event)
    current, position = _HEAD.all(database)[0]
    return LogPage(current, events, head, position, more)


@answers(ReadArtifactLog)
def about_artifact(
    database: SqliteDatabase,
    identity: Identity,
    artifact_id: str,
    offset: int,
    *,
    limit: int,
    up_to: int | None = None,
    reverse: bool = False,
) -> LogPage:
    """The events of an artifact's thread that are about it; costs what they are, however long the thread's log is."""
    row = _ARTIFACT.first(database, uid=artifact_id)
    if row is None:
        raise NotFound("artifact", artifact_id)
    artifact, thread, thread_id, head = row
    must_see_artifact(identity, access.role(database, thread, identity.user.key), artifact_id)
    query = _BEFORE_ABOUT if reverse else _AFTER_ABOUT
    bound = offset or _NEVER if reverse else offset
    most = _NEVER if up_to is None else up_to
    found = query.execute(database, artifact=artifact, offset=bound, up_to=most, limit=limit + 1)
    events, more = page_of(found, limit, lambda part: _render(database, part, {thread: thread_id}), weight.event)
    current, position = _HEAD.all(database)[0]
    return LogPage(current, events, head, position, more)


@answers(ReadLog)
def after_position(
    database: SqliteDatabase, identity: Identity, thread_ids: Iterable[str], position: int, *, limit: int
) -> LogPage:
    """Events of many threads after `position`, in the one order of all; threads not visible are left out.

    Reads, newest first and only of threads with news, at most `limit` + 1 entries of each: its cost is what was missed,
    not what there is.
    """
    seen = _visible_with_news(database, identity, thread_ids, position)
    found: list[tuple[Any, ...]] = []
    for key in seen:
        query = _E.select(*_COLUMNS).where(_E.thread == key).order_by(_E.offset.desc()).limit(limit + 1)
        found += [row for row in rows.fetch(database, query) if row[0] > position]
    found.sort()
    events, more = page_of(found, limit, lambda part: _render(database, part, seen), weight.event)
    newest = head_position(database)
    return LogPage(epoch(database), events, newest, newest, more)


@answers(ReadLogBetween)
def between(database: SqliteDatabase, thread_ids: Sequence[str], after: int, up_to: int) -> tuple[Event, ...]:
    """Events of these threads with a position after `after` and up to `up_to`, for the follower."""
    query = _E.select(*_COLUMNS).where((_E.position > after) & (_E.position <= up_to)).order_by(_E.position)
    found = rows.fetch(database, query)
    keys = list({row[1] for row in found})
    names = rows.fetch(database, _T.select(_T.id, _T.uid).where(_T.id.in_(keys))) if keys else []
    wanted = set(thread_ids)
    followed = {key: uid for key, uid in names if uid in wanted}
    return _render(database, [row for row in found if row[1] in followed], followed)


def at(database: SqliteDatabase, position: int) -> Event | None:
    """One event, without a check of rights; None when its thread was deleted."""
    query = _E.select(*_COLUMNS, _T.uid).join(_T, on=(_E.thread == _T.id)).where(_E.position == position)
    row = rows.first(database, query)
    return _render(database, [row[:-1]], {row[1]: row[-1]})[0] if row else None


@answers(GetLogHead)
def head(database: SqliteDatabase) -> tuple[str, int]:
    """(epoch of the log, its newest position)."""
    epoch, position = _HEAD.all(database)[0]
    return str(epoch), int(position)


def head_position(database: SqliteDatabase) -> int:
    return int(_HEAD.all(database)[0][1])


_HEAD = Prepared(lambda _: models.LogHead.select(models.LogHead.epoch, models.LogHead.position))


def _visible_with_news(
    database: SqliteDatabase, identity: Identity, thread_ids: Iterable[str], position: int
) -> dict[int, str]:
    query = _T.select(_T.id, _T.uid).where(_T.uid.in_(list(thread_ids)) & (_T.position > position))
    query = query.where(_T.deleted_at.is_null())
    found = dict(rows.fetch(database, query))
    return {key: uid for key, uid in found.items() if _may_see(database, identity, key)}


def _may_see(database: SqliteDatabase, identity: Identity, thread_key: int) -> bool:
    return identity.is_admin or access.role(database, thread_key, identity.user.key) is not None


# Rendering: an entry's reference becomes the resource

_COLUMNS = (_E.position, _E.thread, _E.offset, _E.type, _E.actor, _E.time, _E.ref, _E.data)
_NEVER = 2**63 - 1
"""No log has as many entries."""


def _within(given: Any) -> Any:
    return _E.select(*_COLUMNS).where(_E.thread == given.thread, _E.offset <= given.up_to).limit(given.limit)


_AFTER = Prepared(lambda given: _within(given).where(_E.offset > given.offset).order_by(_E.offset))
_BEFORE = Prepared(lambda given: _within(given).where(_E.offset < given.offset).order_by(_E.offset.desc()))

_A, _P, _C = artifact_models.Artifact, proposal_models.Proposal, comment_models.Comment
_S = artifact_stream_models.ArtifactStream
_ARTIFACT = Prepared(
    lambda given: (
        _A.select(_A.id, _T.id, _T.uid, _T.offset)
        .join(_T, on=(_A.thread == _T.id))
        .where(_A.uid == given.uid, _A.deleted_at.is_null(), _T.deleted_at.is_null())
    )
)
ABOUT_ARTIFACTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "artifact": lambda artifact: _E.ref == artifact,
    "proposal": lambda artifact: _E.ref.in_(_P.select(_P.id).where(_P.artifact == artifact)),
    "comment": lambda artifact: _E.ref.in_(_C.select(_C.id).where(_C.artifact == artifact)),
    "artifact_stream": lambda artifact: _E.ref.in_(_S.select(_S.id).where(_S.artifact == artifact)),
}
"""What an event refers to → the condition that it is about an artifact, given by key."""


def _about(given: Any, *, after: bool) -> Any:
    """The entries of each kind, by the index of events about artifacts, which SQLite takes for this very condition."""
    indexed = SQL("SUBSTR(\"type\", 1, 8) IN ('artifact', 'proposal', 'comment.')")
    parts = []
    for refers_to, condition in ABOUT_ARTIFACTS.items():
        names = [kind.name for kind in KINDS.values() if kind.refers_to == refers_to]
        query = _E.select(*_COLUMNS).where(indexed, condition(given.artifact), _E.type.in_(names))
        query = query.where(_E.offset <= given.up_to)
        parts.append(query.where(_E.offset > given.offset if after else _E.offset < given.offset))
    union = functools.reduce(operator.add, parts)
    return union.order_by(SQL('"offset"') if after else SQL('"offset" DESC')).limit(given.limit)


_AFTER_ABOUT = Prepared(functools.partial(_about, after=True))
_BEFORE_ABOUT = Prepared(functools.partial(_about, after=False))


def _render(database: SqliteDatabase, found: Sequence[Sequence[Any]], names: dict[int, str]) -> tuple[Event, ...]:
    if not found:
        return ()
    entries = [Entry._make(row) for row in found]
    replay = Replay(database, entries, names)
    load = loaders()
    return tuple(_event(replay, entry, load) for entry in entries)


def _event(replay: Replay, entry: Entry, load: Loaders) -> Event:
    """An entry of a newer release, which has been at work on this database, has no data here."""
    _, thread, offset, name, actor, time, _, _ = entry
    kind = KINDS.get(name)
    data = None if kind is None else load[kind](replay, entry)
    return Event(thread, replay.threads[thread], entry.position, offset, name, time, replay.authors[actor], data)


@cache
def loaders() -> Loaders:
    """Of every kind of event in a thread's log."""
    return declared.merged("LOADERS")
