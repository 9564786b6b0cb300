"""What a deleted user leaves is taken away step by step, others' writes in between: first what they wrote, where that
was asked for; then files; at last the words of both leave the indexes of files and of artifacts."""

from typing import Any

from actors import limits
from actors.events import Event
from actors.outcomes import Done
from actors.resources.users import EraseContent
from storage import declared
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.files import erasure as files
from storage.resources.holds.protection import is_held_by_another, is_user_held
from storage.resources.messages import writing as messages
from storage.resources.threads import writing as threads
from storage.schema import identity_models, models
from storage.search import index

_E = identity_models.Erasure


@writes(EraseContent)
def erase_content(tx: Transaction, command: EraseContent) -> Done[int]:
    """One step, of the first user who is due."""
    row = _due(tx)
    if row is None:
        return Done(0)
    user_key, position, stage = row
    if stage == "messages":
        return _content(tx, command, user_key, position)
    if stage == "texts":
        return _texts(tx, command, user_key)
    return _files(tx, command, user_key, everything=stage == "files")


def _due(tx: Transaction) -> tuple[Any, ...] | None:
    """A legal hold is waited for: on the user, on a thread that they wrote in, and on another one in such a thread."""
    waiting = rows.fetch(tx.database, _E.select(_E.user, _E.position, _E.stage).where(~is_user_held(_E.user)))
    return next((row for row in waiting if not is_held_by_another(tx.database, row[0])), None)


def _content(tx: Transaction, command: EraseContent, user_key: int, position: int) -> Done[int]:
    """First what resources declare. Then messages are looked at in the order of their keys, for there is no index by
    author to keep for this; beside them, the entries of the log from the same time."""
    for erase in declared.each("ERASURES"):
        removed: Done[None] = erase(tx, user_key)
        if removed.events:
            return Done(command.rows, removed.events, user_events=removed.user_events)
    found = _after(tx, position, command.looked_at)
    theirs = [(key, thread_id) for key, author, thread_id in found if author == user_key][: command.rows]
    erased = [messages.erase(tx, key, thread_id) for key, thread_id in theirs]
    if len(theirs) < command.rows and len(found) < command.looked_at:
        index.begin_anew(tx.database)
        up_to = tx.position
        _update(tx, user_key, stage="files")
    else:
        up_to = theirs[-1][0] if len(theirs) == command.rows else found[-1][0]
        _update(tx, user_key, position=up_to)
    threads.forget_reasons(tx, user_key, position, up_to)
    events = tuple(event for done in erased for event in done.events)
    return Done(command.rows, events, user_events=tuple(entry for done in erased for entry in done.user_events))


def _files(tx: Transaction, command: EraseContent, user_key: int, *, everything: bool) -> Done[int]:
    events: tuple[Event, ...]
    removed, events = files.erase(tx, user_key, command.rows, everything=everything)
    if removed < command.rows:
        _update(tx, user_key, stage="texts")
    return Done(command.rows, events)


def _texts(tx: Transaction, command: EraseContent, user_key: int) -> Done[int]:
    if all(_is_merged(tx, index_of) for index_of in ("file_text", "artifact_text")):
        tx.execute(_E.delete().where(_E.user == user_key))  # done; the next user has steps of its own
    return Done(command.rows)


def _is_merged(tx: Transaction, table: str) -> bool:
    """After one step towards an index without the words of what was removed."""
    before = tx.written
    merge = f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)"  # noqa: S608 - our own table
    tx.database.execute_sql(merge, (-limits.TEXT_INDEX_PAGES,))
    return tx.written - before <= 1  # the command itself counts as one row


def _update(tx: Transaction, user_key: int, **fields: object) -> None:
    tx.execute(_E.update(**fields).where(_E.user == user_key))


def _after(tx: Transaction, position: int, count: int) -> list[tuple[int, int, str]]:
    """(key, author, thread) of messages that are there; those of a deleted thread go with it."""
    Message, Thread = models.Message, models.Thread
    query = Message.select(Message.id, Message.author, Thread.uid).join(Thread, on=(Message.thread == Thread.id))
    there = (Message.id > position) & Message.deleted_at.is_null() & Thread.deleted_at.is_null()
    found = rows.fetch(tx.database, query.where(there).order_by(Message.id).limit(count))
    return [(key, author, thread_id) for key, author, thread_id in found]
