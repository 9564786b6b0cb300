"""The hot path: many new messages, in whatever threads, by a handful of statements.

Whether the author may write is asked here too, by the statements that write: what an actor knew of the membership may
be a moment old. One message that may not be posted fails them all; the store then posts them one by one.
"""

from collections.abc import Sequence
from typing import Any

from actors import rules
from actors.commands import Done, PostMessage
from actors.errors import NotFound
from actors.events import MESSAGE_CREATED, Event
from actors.records import Message
from storage import models
from storage.compiled import ManyRows, insert_rows, values
from storage.writing.transaction import Transaction

_M, _T, _P = models.Message, models.Thread, models.Member


def _advance_threads(count: int) -> Any:
    table = values(count, 4)
    given = table.c
    return (
        _T.update(
            offset=_T.offset + given.column2,
            message_count=_T.message_count + given.column2,
            position=given.column3,
            last_message=given.column4,
        )
        .from_(table)
        .where((_T.uid == given.column1) & _T.deleted_at.is_null())
        .returning(_T.uid, _T.id, _T.offset, _T.message_count, _T.status)
    )


def _mark_own_as_read(count: int) -> Any:
    table = values(count, 4)
    given = table.c
    return (
        _P.update(last_read_offset=given.column3, last_read_number=given.column4)
        .from_(table)
        .where((_P.thread == given.column1) & (_P.user == given.column2))
        .returning(_P.thread, _P.user, _P.role)
    )


def _select_parents(count: int) -> Any:
    return _M.select(_M.uid, _M.id, _M.thread).where(_M.uid.in_([""] * count))


ADVANCE_THREADS = ManyRows(_advance_threads)
MARK_OWN_AS_READ = ManyRows(_mark_own_as_read)
SELECT_PARENTS = ManyRows(_select_parents)
INSERT_MESSAGES = insert_rows(
    _M,
    (
        _M.id, _M.uid, _M.thread, _M.author, _M.type, _M.content, _M.blocks, _M.parent, _M.metadata, _M.status,
        _M.offset, _M.number, _M.version, _M.created_at,
    ),
)  # fmt: skip
INSERT_EVENTS = insert_rows(
    models.Event,
    (
        models.Event.position, models.Event.thread, models.Event.offset, models.Event.type, models.Event.actor,
        models.Event.time, models.Event.ref,
    ),
)  # fmt: skip


class _Head:
    """A thread while this batch is numbered."""

    __slots__ = ("key", "number", "offset", "status")

    def __init__(self, key: int, offset: int, number: int, status: str) -> None:
        self.key, self.offset, self.number, self.status = key, offset, number, status


def post_messages(tx: Transaction, posts: Sequence[PostMessage]) -> list[Done]:
    """Post all of them in order, or raise what forbids one of them."""
    first = tx.next_positions(len(posts))
    heads = _advance(tx, posts, first)
    parents = _parents(tx, posts, heads)
    done = [_post(tx, post, heads[post.thread_id], first + i) for i, post in enumerate(posts)]
    _read_own(tx, posts, heads, done)
    _insert(tx, posts, heads, parents, done)
    return done


def _advance(tx: Transaction, posts: Sequence[PostMessage], first: int) -> dict[str, _Head]:
    """Take offsets and numbers for all; the heads answered stand before the first of them."""
    counts: dict[str, int] = {}
    last: dict[str, int] = {}
    for position, post in enumerate(posts, first):
        counts[post.thread_id] = counts.get(post.thread_id, 0) + 1
        last[post.thread_id] = position
    given = [(uid, count, last[uid], last[uid]) for uid, count in counts.items()]
    heads = {
        uid: _Head(key, offset - counts[uid], number - counts[uid], status)
        for uid, key, offset, number, status in ADVANCE_THREADS.run(tx.database, given)
    }
    missing = counts.keys() - heads.keys()
    if missing:
        raise NotFound("thread", next(iter(missing)))
    return heads


def _parents(tx: Transaction, posts: Sequence[PostMessage], heads: dict[str, _Head]) -> dict[str, int]:
    wanted = {(post.parent_id, heads[post.thread_id].key) for post in posts if post.parent_id}
    if not wanted:
        return {}
    uids = [(uid,) for uid in {uid for uid, _ in wanted}]
    found = {uid: (key, thread) for uid, key, thread in SELECT_PARENTS.run(tx.database, uids)}
    for uid, thread in wanted:
        if uid not in found or found[uid][1] != thread:
            raise NotFound("message", str(uid))
    return {uid: key for uid, (key, _) in found.items()}


def _post(tx: Transaction, post: PostMessage, head: _Head, position: int) -> Done:
    head.offset += 1
    head.number += 1
    author = post.identity.author
    message = Message(
        position, post.message_id, post.thread_id, author, post.type, post.content, post.blocks, post.parent_id,
        post.metadata, "COMPLETE", (), head.offset, head.number, 1, tx.now,
    )  # fmt: skip
    event = Event(head.key, post.thread_id, position, head.offset, MESSAGE_CREATED, tx.now, author, message)
    return Done(message, (event,))


def _read_own(tx: Transaction, posts: Sequence[PostMessage], heads: dict[str, _Head], done: list[Done]) -> None:
    """An author has read what they wrote. The same statement tells whether they may write."""
    last: dict[tuple[int, int], tuple[PostMessage, Any]] = {}
    for post, outcome in zip(posts, done, strict=True):
        last[heads[post.thread_id].key, post.identity.user.key] = (post, outcome.result)
    given = [(*pair, message.offset, message.number) for pair, (_, message) in last.items()]
    roles = {(thread, user): role for thread, user, role in MARK_OWN_AS_READ.run(tx.database, given)}
    for pair, (post, _) in last.items():
        status: Any = heads[post.thread_id].status
        rules.must_write(post.identity, roles.get(pair), post.thread_id, status)


def _insert(
    tx: Transaction,
    posts: Sequence[PostMessage],
    heads: dict[str, _Head],
    parents: dict[str, int],
    done: list[Done],
) -> None:
    messages, entries = [], []
    for post, outcome in zip(posts, done, strict=True):
        m: Any = outcome.result
        thread, author = heads[post.thread_id].key, m.author.key
        parent = parents[m.parent_id] if m.parent_id else None
        messages.append(
            (m.key, m.id, thread, author, m.type, m.content, m.blocks, parent, m.metadata, m.status, m.offset,
             m.number, 1, tx.now)
        )  # fmt: skip
        entries.append((m.key, thread, m.offset, MESSAGE_CREATED, author, tx.now, m.key))
    INSERT_MESSAGES.run(tx.database, messages)
    INSERT_EVENTS.run(tx.database, entries)
