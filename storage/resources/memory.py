"""A conversation's memory: how it is read, and what its commands write.

Reading, merging, checking and writing are one transaction, so no writer undoes another.
"""

from collections.abc import Callable
from typing import Any, Final

import orjson
from peewee import SqliteDatabase

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.errors import ValidationFailed
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.memory import (
    MEMORY_UPDATED,
    GetMemory,
    Json,
    Memory,
    ReplaceMemory,
    UpdateMemory,
    must_be_valid,
)
from actors.text.merge_patch import merge_patch
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import access, rows, weight
from storage.readers.answers import answers
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.resources.threads import writing as threads
from storage.schema import models


@answers(GetMemory)
def one(database: SqliteDatabase, identity: Identity, thread_id: str) -> tuple[Memory, int]:
    """The memory, and the head of the thread's log."""
    key, _ = access.visible_thread(database, identity, thread_id)
    return by_key(database, key)


def by_key(database: SqliteDatabase, thread_key: int) -> tuple[Memory, int]:
    Thread = models.Thread
    query = Thread.select(Thread.uid, Thread.memory, Thread.memory_version, Thread.offset)
    row = rows.first(database, query.where(Thread.id == thread_key))
    assert row is not None
    return Memory(row[0], row[1], row[2]), row[3]


@weight.of.register
def _weight(memory: Memory) -> int:
    return weight.carried(memory.content)


def _replayed(replay: Replay, entry: Entry) -> Memory:
    """Read once for a page of entries: it may have 64 KiB."""
    found: Memory = replay.once((Memory, entry.thread), lambda: by_key(replay.database, entry.thread)[0])
    return found


LOADERS: Final[Loaders] = {MEMORY_UPDATED: _replayed}


# Writing


@writes(ReplaceMemory)
def replace_memory(tx: Transaction, command: ReplaceMemory) -> Done[Memory]:
    return _change(tx, command, lambda _: orjson.loads(command.memory))


@writes(UpdateMemory)
def update_memory(tx: Transaction, command: UpdateMemory) -> Done[Memory]:
    return _change(tx, command, lambda before: merge_patch(before, orjson.loads(command.patch)))


def _change(tx: Transaction, command: ReplaceMemory | UpdateMemory, become: Callable[[Json], Json]) -> Done[Memory]:
    key, uid, status = tx.thread(command.thread_id)
    permissions.must_write(command.identity, tx.role(key, command.identity.user.key), uid, status)  # type: ignore[arg-type]
    before, head = by_key(tx.database, key)
    must_match(command.if_version, before.version)
    present = orjson.loads(before.content)
    wanted = become(present)
    if _canonical(wanted) == _canonical(present):
        return Done(before)
    after = Memory(uid, _text(wanted), before.version + 1)
    must_be_valid(wanted, head)
    _must_be_messages(tx, key, wanted.get("pins", []))
    update = models.Thread.update(memory=after.content, memory_version=after.version)
    tx.execute(update.where(models.Thread.id == key))
    return Done(after, (tx.log((key, uid), MEMORY_UPDATED, command.identity.author, after),))


def _canonical(document: Json) -> bytes:
    """Two documents that say the same are the same: the order of members says nothing, but 1, 1.0 and true differ."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _text(document: Json) -> str:
    text = orjson.dumps(document)
    if len(text) > limits.MEMORY_BYTES:
        sentence = f"may be at most {limits.MEMORY_BYTES} bytes as JSON, it would have {len(text)}."
        raise ValidationFailed({"memory": [sentence]})
    return text.decode()


def _must_be_messages(tx: Transaction, thread_key: int, pins: list[Any]) -> None:
    """A deleted message may stay pinned: its tombstone is there."""
    if not pins:
        return
    Message = models.Message
    query = Message.select(Message.uid).where(Message.uid.in_(pins) & (Message.thread == thread_key))
    there = {row[0] for row in rows.fetch(tx.database, query)}
    missing = {f"memory.pins.{n}": ["There is no such message in this thread."] for n, pin in enumerate(pins)
               if pin not in there}  # fmt: skip
    if missing:
        raise ValidationFailed(missing)


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Memory | None:
    same = models.Thread.uid == reference["thread"]
    row = rows.first(tx.database, models.Thread.select(models.Thread.id).where(same))
    thread = threads.read_again(tx, identity, {"key": row[0]}) if row else None
    return by_key(tx.database, thread.key)[0] if thread else None


results.keep(Memory, refer=lambda memory: {"thread": memory.thread_id}, load=_again)
