"""The log, read back: events of one thread after an offset, or of many after a position, with their resources as they
are now. Deleted content never comes back, and who may read is asked anew for each thread."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.events import MEMORY_UPDATED, Event, EventData, LogPage
from actors.resources.members import Member, MemberGone, ReadChange
from actors.resources.memory import Memory
from actors.resources.messages import Message
from actors.resources.reactions import ReactionChange
from actors.resources.threads import ControlChange, ThreadGone
from actors.resources.users import Author
from storage.compiled import Prepared
from storage.readers import access, rows, weight
from storage.readers.paging import page_of
from storage.resources.members import markers
from storage.resources.memory import reading as memory
from storage.schema import models

_E, _T = models.Event, models.Thread


def epoch(database: SqliteDatabase) -> str:
    return str(_HEAD.all(database)[0][0])


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


def after_position(
    database: SqliteDatabase, identity: Identity, thread_ids: Iterable[str], position: int, *, limit: int
) -> LogPage:
    """Events of many threads after `position`, in the one order of all; threads not visible are left out.

    Reads, newest first and only of threads with news, at most `limit` + 1 entries of each: its cost is what was missed,
    not what there is.
    """
    threads = _visible_with_news(database, identity, thread_ids, position)
    found: list[tuple[Any, ...]] = []
    for key in threads:
        query = _E.select(*_COLUMNS).where(_E.thread == key).order_by(_E.offset.desc()).limit(limit + 1)
        found += [row for row in rows.fetch(database, query) if row[0] > position]
    found.sort()
    events, more = page_of(found, limit, lambda part: _render(database, part, threads), weight.event)
    newest = head_position(database)
    return LogPage(epoch(database), events, newest, newest, more)


def between(database: SqliteDatabase, thread_ids: Sequence[str], after: int, up_to: int) -> tuple[Event, ...]:
    """Events of these threads with a position after `after` and up to `up_to`, for whoever follows the log."""
    query = _E.select(*_COLUMNS).where((_E.position > after) & (_E.position <= up_to)).order_by(_E.position)
    found = rows.fetch(database, query)
    keys = list({row[1] for row in found})
    names = rows.fetch(database, _T.select(_T.id, _T.uid).where(_T.id.in_(keys))) if keys else []
    wanted = set(thread_ids)
    threads = {key: uid for key, uid in names if uid in wanted}
    return _render(database, [row for row in found if row[1] in threads], threads)


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
_ABOUT_MESSAGES = ("message.created", "message.updated", "message.deleted", "message.completed")


def _render(database: SqliteDatabase, found: Sequence[Sequence[Any]], threads: dict[int, str]) -> tuple[Event, ...]:
    return _Renderer(database, found, threads).events() if found else ()


class _Renderer:
    """Reads what a page of entries refers to, a kind at a time, then puts events together."""

    def __init__(self, database: SqliteDatabase, found: Sequence[Sequence[Any]], threads: dict[int, str]) -> None:
        self._database = database
        self._found = found
        self._threads = threads
        self._messages = self._read_messages()
        self._memories: dict[int, Memory] = {}
        users = {row[4] for row in found} | {row[6] for row in found if row[3].startswith(("member.", "read."))}
        self._authors: dict[int, Author] = rows.authors(database, users)

    def _read_messages(self) -> dict[int, Message]:
        keys = {row[6] for row in self._found if row[3] in _ABOUT_MESSAGES or row[3].startswith("reaction.")}
        return {message.key: message for message in rows.messages_by_key(self._database, keys, None)}

    def events(self) -> tuple[Event, ...]:
        return tuple(self._event(*row) for row in self._found)

    def _event(
        self, position: int, thread: int, offset: int, kind: str, actor: int, time: int, ref: int, data: str | None
    ) -> Event:
        resource = self._resource(kind, thread, actor, ref, orjson.loads(data) if data else {})
        return Event(thread, self._threads[thread], position, offset, kind, time, self._authors[actor], resource)

    def _resource(self, kind: str, thread: int, actor: int, ref: int, data: dict[str, Any]) -> EventData:
        if kind in _ABOUT_MESSAGES:
            return self._messages[ref]
        if kind.startswith("reaction."):
            return ReactionChange(self._messages[ref].id, data["emoji"], self._authors[actor], data["count"])
        if kind == "control.changed":
            return ControlChange(**data)
        if kind == "read.updated":
            return ReadChange(self._authors[ref], **data)
        if kind.startswith("member."):
            return self._member(thread, ref, kind)
        if kind == "thread.deleted":
            return ThreadGone(self._threads[thread])
        if kind == MEMORY_UPDATED:
            return self._memory(thread)
        found = rows.thread_by_key(self._database, thread, None)
        assert found is not None
        return found

    def _memory(self, thread: int) -> Memory:
        """Read once, however many entries tell of it: it may have 64 KiB."""
        if thread not in self._memories:
            self._memories[thread] = memory.by_key(self._database, thread)[0]
        return self._memories[thread]

    def _member(self, thread: int, user: int, kind: str) -> Member | MemberGone:
        """A member who has left since is told as gone, whatever the entry said: rights are as they are now."""
        member = rows.member(self._database, thread, user) if kind != "member.removed" else None
        return markers.shown(self._database, [member], None)[0] if member else MemberGone(self._authors[user])
