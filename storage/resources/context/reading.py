"""What a model is given of a thread, read from its newest message back, in steps, until no more fits."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from peewee import SqliteDatabase

from actors import limits
from actors.auth.identity import Identity
from actors.resources.context import Context, GetContext, Said, Window
from actors.resources.memory import notes
from storage.readers import access, rows
from storage.readers.answers import answers
from storage.resources import memory
from storage.resources.context import material
from storage.schema import models

_M = models.Message
_COLUMNS = (_M.uid, _M.author, _M.offset, _M.type, _M.status, _M.content, _M.blocks, _M.deleted_at)


@answers(GetContext)
def build(
    database: SqliteDatabase, identity: Identity, thread_id: str, max_tokens: int, files: bool = False
) -> Context:
    """Reads as many messages, and as much text of files, as `max_tokens` can hold, however long the thread is."""
    key, _ = access.visible_thread(database, identity, thread_id)
    known, head = memory.by_key(database, key)
    document = orjson.loads(known.content)
    pinned = _pinned(database, key, document.get("pins", []))
    noted = notes(document, known.version, pinned, max_tokens // 2)
    shown = material.files(database, key, (max_tokens - noted.tokens) // 2) if files else None
    window = Window(max_tokens, noted, shown)
    for said in _newest_first(database, key):
        window.take(said)
        if not window.is_open:
            break
    return window.context(head)


def _pinned(database: SqliteDatabase, thread_key: int, pins: Sequence[str]) -> list[Said]:
    """In the order in which they are pinned."""
    if not pins:
        return []
    query = _M.select(*_COLUMNS).where(_M.uid.in_(pins) & (_M.thread == thread_key))
    found = rows.fetch(database, query)
    by_id = {row[0]: said for row, said in zip(found, _said(database, found), strict=True)}
    return [by_id[pin] for pin in pins if pin in by_id]


def _newest_first(database: SqliteDatabase, thread_key: int) -> Iterator[Said]:
    """A few, then more at a time: a small context reads little, and a large one in few steps."""
    step, before = limits.CONTEXT_STEP, None
    while True:
        query = _M.select(*_COLUMNS).where(_M.thread == thread_key)
        if before is not None:
            query = query.where(_M.offset < before)
        found = rows.fetch(database, query.order_by(_M.offset.desc()).limit(step))
        yield from _said(database, found)
        if len(found) < step:
            return
        before, step = found[-1][2], min(2 * step, limits.CONTEXT_STEP_MAX)


def _said(database: SqliteDatabase, found: Sequence[Sequence[Any]]) -> list[Said]:
    authors = rows.authors(database, {row[1] for row in found}) if found else {}
    return [
        Said(offset, authors[author], kind, status, content, blocks, deleted_at is not None)
        for _, author, offset, kind, status, content, blocks, deleted_at in found
    ]
