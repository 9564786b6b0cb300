"""What goes of messages with their thread, which former versions an operator lets go, and what stays of a user's when
the user is deleted."""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from peewee import SqliteDatabase, fn

from actors import limits
from actors.outcomes import Done
from actors.resources.messages import ListMessagesBy
from actors.resources.retention import Outdated, OutdatedPage, RemoveOutdated
from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.resources.holds.protection import held_threads
from storage.resources.retention.rule import OutdatedRule
from storage.schema.models import Message, MessageRevision, Reaction
from storage.search import index


def purge_thread(tx: Transaction, thread_key: int, count: int) -> int:
    """Out of the search index too, word by word: where they are long, some of them count as `count`."""
    query = Message.select(Message.id, fn.LENGTH(Message.content) + fn.IFNULL(fn.LENGTH(Message.blocks), 0))
    keys, chars = [], 0
    for key, length in rows.fetch(tx.database, query.where(Message.thread == thread_key).limit(count)):
        keys.append(key)
        chars += length
        if chars > limits.INDEX_STEP_CHARS:
            break
    with index.rewriting(tx.database, keys):
        tx.execute(Message.delete().where(Message.id.in_(keys)))
    return count if chars > limits.INDEX_STEP_CHARS else len(keys)


_R = MessageRevision


def _find_revisions(database: SqliteDatabase, before: int, after: int, limit: int) -> OutdatedPage:
    """Message by message. What is found at the end of a page may go on: its message starts the next page."""
    size = fn.LENGTH(_R.content.cast("BLOB")) + fn.IFNULL(fn.LENGTH(_R.blocks.cast("BLOB")), 0)
    query = _R.select(_R.message, _R.replaced_at, size).where(_R.message > after).order_by(_R.message)
    looked_at = rows.fetch(database, query.limit(limit))
    last = looked_at[-1][0] if len(looked_at) == limit else None
    if last is not None and last != looked_at[0][0]:
        looked_at = [row for row in looked_at if row[0] != last]
        last = looked_at[-1][0]
    held = _held(database, {row[0] for row in looked_at})
    outdated = [row for row in looked_at if row[1] < before and row[0] not in held]
    found = ((key, [row[2] for row in group]) for key, group in groupby(outdated, key=lambda row: row[0]))
    return OutdatedPage(tuple(Outdated(key, len(sizes), sum(sizes)) for key, sizes in found), last)


def _remove_revisions(tx: Transaction, command: RemoveOutdated) -> Done[tuple[int, ...]]:
    old = _R.message.in_(set(command.keys) - _held(tx.database, command.keys)) & (_R.replaced_at < command.before)
    keys = [row[0] for row in rows.fetch(tx.database, _R.select(_R.message).where(old).distinct())]
    tx.execute(_R.delete().where(old))
    return Done(tuple(keys))


def _held(database: SqliteDatabase, keys: Iterable[int]) -> set[int]:
    """Messages in held threads; those of a held user are all in such."""
    threads = dict(rows.fetch(database, Message.select(Message.id, Message.thread).where(Message.id.in_([*keys]))))
    held = held_threads(database, [*set(threads.values())])
    return {key for key, thread in threads.items() if thread in held}


OUTDATED: Final = {"message_revisions": OutdatedRule(_find_revisions, _remove_revisions)}
THREAD_PURGES = (purge_thread,)
PERSONAL = (
    Personal(
        Message.author, export=ListMessagesBy,
        kept="it belongs to the conversation, by a nameless author; it goes where content is to be removed",
    ),
    Personal(MessageRevision.edited_by, kept="like its message", withheld="its message is shown as it is now"),
    Personal(Reaction.user, kept="it counts on another's message", withheld="it is on another's message"),
)  # fmt: skip
