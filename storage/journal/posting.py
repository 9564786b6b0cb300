"""The hot path: many new messages, in whatever threads, by a handful of statements.

Whether the author may write is asked here too, by the statements that write: what an actor knew of the membership may
be a moment old. An answer to a message that is not there is refused before anything is written, and costs the others
nothing. What shows only by writing (an author who may not write, an id that is taken) undoes the whole run; it is then
posted `carefully`: two more statements find all of these first.
"""

from collections.abc import Sequence
from typing import Any

from peewee import SQL

from actors import permissions
from actors.errors import Conflict, NotFound, XpError
from actors.events import Event
from actors.outcomes import Done
from actors.resources.messages import MESSAGE_CREATED, Message, PostMessage
from actors.resources.user_events import UserEvent
from actors.text.mentions import may_mention
from storage.compiled import ManyRows, insert_rows, values
from storage.journal.transaction import Transaction
from storage.resources.acknowledgements import asking
from storage.resources.actions import deadlines
from storage.resources.files import attaching
from storage.resources.notifications import writing as notifications
from storage.resources.notifications.writing import Written
from storage.schema import models

Posted = Done[Message]
Outcome = Posted | XpError

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


_HAS_NEWS = SQL(
    """EXISTS (SELECT 1 FROM "notification" AS "n" WHERE "n"."user_id" = "member"."user_id"
    AND "n"."thread_id" = "member"."thread_id" AND "n"."read_at" IS NULL)"""
)
"""Asked along: a statement for it alone would be one more for every batch, and hardly any user has."""


_NONE = SQL("0")
"""Not a parameter: those belong to the rows."""


def _mark_own_as_read(count: int) -> Any:
    table = values(count, 4)
    given = table.c
    return (
        _P.update(last_read_offset=given.column3, last_read_number=given.column4, own_after=_NONE)
        .from_(table)
        .where((_P.thread == given.column1) & (_P.user == given.column2))
        .returning(_P.thread, _P.user, _P.role, _HAS_NEWS)
    )


def _select_parents(count: int) -> Any:
    query = _M.select(_M.uid, _M.id, _T.uid, _M.author, _M.deleted_at).join(_T, on=(_M.thread == _T.id))
    return query.where(_M.uid.in_([""] * count))


def _select_members(count: int) -> Any:
    table = values(count, 2)
    given = table.c
    query = _T.select(_T.uid, _P.user, _P.role, _T.status).join(_P, on=(_P.thread == _T.id))
    same = (_T.uid == given.column1) & (_P.user == given.column2)
    return query.join(table, on=same).where(_T.deleted_at.is_null())


ADVANCE_THREADS = ManyRows(_advance_threads)
MARK_OWN_AS_READ = ManyRows(_mark_own_as_read)
SELECT_PARENTS = ManyRows(_select_parents)
SELECT_MEMBERS = ManyRows(_select_members)
SELECT_TAKEN = ManyRows(lambda count: _M.select(_M.uid).where(_M.uid.in_([""] * count)))
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


def post_messages(tx: Transaction, posts: Sequence[PostMessage], *, carefully: bool = False) -> list[Outcome]:
    """Post all of them in order, but those that are refused: an outcome each. None of them answers another one, or has
    the id of another one.

    Raises a refusal that shows only when something was written already; `carefully` none does.
    """
    parents = _parents(tx, posts)
    doubtful = {index for index, post in enumerate(posts) if post.parent_id and _place(post) not in parents}
    doubtful |= {index for index, post in enumerate(posts) if _extras_fault(tx, post)}
    if carefully:
        doubtful |= _unwelcome(tx, posts)
    good = [post for index, post in enumerate(posts) if index not in doubtful]
    done = iter(_post_all(tx, good, parents) if good else ())
    return [_why_not(tx, post) if index in doubtful else next(done) for index, post in enumerate(posts)]


def _post_all(tx: Transaction, posts: Sequence[PostMessage], parents: "_Parents") -> list[Posted]:
    first = tx.next_positions(len(posts))
    heads = _advance(tx, posts, first)
    done = [_post(tx, post, heads[post.thread_id], first + i) for i, post in enumerate(posts)]
    read = _read_own(tx, posts, heads, done)
    _insert(tx, posts, heads, parents, done)
    _attach(tx, posts, heads, done)
    deadlines.of_posts(tx, (outcome.result for outcome in done))
    asked = _ask(tx, posts, heads, done)
    done[-1].user_events = asked + _notify(tx, posts, heads, parents, done, read)
    return done


def _unwelcome(tx: Transaction, posts: Sequence[PostMessage]) -> set[int]:
    """Which of them have an author who may not write there, or an id that is taken."""
    pairs = {(post.thread_id, post.identity.user.key) for post in posts}
    found = SELECT_MEMBERS.run(tx.database, list(pairs))
    writers = {(thread, user) for thread, user, role, status in found if role != "VIEWER" and status != "CLOSED"}
    taken = {uid for (uid,) in SELECT_TAKEN.run(tx.database, [(post.message_id,) for post in posts])}
    return {
        index
        for index, post in enumerate(posts)
        if (post.thread_id, post.identity.user.key) not in writers or post.message_id in taken
    }


def _why_not(tx: Transaction, post: PostMessage) -> XpError:
    """What refuses one message; asked in the order in which a stranger learns nothing."""
    try:
        key, uid, status = tx.thread(post.thread_id)
        role = tx.role(key, post.identity.user.key)
        permissions.must_see(post.identity, role, uid)
        if post.parent_id and _place(post) not in _parents(tx, [post]):
            return NotFound("message", post.parent_id)
        permissions.must_be_writer(role, status)  # type: ignore[arg-type]  # CHECK holds the statuses
        if (fault := _extras_fault(tx, post)) is not None:
            return fault
    except XpError as refusal:
        return refusal
    return Conflict("The id in the request is taken; leave it out, or make a new one.", code="id_taken")


def _extras_fault(tx: Transaction, post: PostMessage) -> XpError | None:
    """What speaks against the files that a message shows, or against what it asks of its readers."""
    fault = attaching.fault(tx, post.identity, post.thread_id, post.file_ids) if post.file_ids else None
    return fault or asking.fault(tx, post)


def _attach(tx: Transaction, posts: Sequence[PostMessage], heads: "dict[str, _Head]", done: list[Posted]) -> None:
    """Only messages that show files cost a statement. Files that join the thread are logged after all messages."""
    for post, outcome in zip(posts, done, strict=True):
        if post.file_ids:
            message: Any = outcome.result
            thread = (heads[post.thread_id].key, post.thread_id)
            message.files, joined = attaching.attach(tx, post.identity, thread, message.key, post.file_ids)
            done[-1].events += joined


def _ask(
    tx: Transaction, posts: Sequence[PostMessage], heads: "dict[str, _Head]", done: list[Posted]
) -> tuple[UserEvent, ...]:
    """Before mentions are notified: one message notifies one person once, and this is the stronger reason."""
    user_events: tuple[UserEvent, ...] = ()
    for post, outcome in zip(posts, done, strict=True):
        if post.acknowledgement is not None:
            message: Any = outcome.result
            user_events += asking.ask(tx, post, message, (heads[post.thread_id].key, post.thread_id))
    return user_events


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


_Parents = dict[tuple[str, str | None], tuple[int, int | None]]
"""(thread, message that is answered) → (its key, its author's key unless it was deleted)."""


def _place(post: PostMessage) -> tuple[str, str | None]:
    return post.thread_id, post.parent_id


def _parents(tx: Transaction, posts: Sequence[PostMessage]) -> _Parents:
    wanted = {(post.parent_id,) for post in posts if post.parent_id}
    if not wanted:
        return {}
    found = SELECT_PARENTS.run(tx.database, list(wanted))
    return {(thread, uid): (key, None if deleted_at else author) for uid, key, thread, author, deleted_at in found}


def _post(tx: Transaction, post: PostMessage, head: _Head, position: int) -> Posted:
    head.offset += 1
    head.number += 1
    author = post.identity.author
    message = Message(
        position, post.message_id, post.thread_id, author, post.type, post.content, post.blocks, post.parent_id,
        post.metadata, post.status, (), head.offset, head.number, 1, tx.now,
    )  # fmt: skip
    event = Event(head.key, post.thread_id, position, head.offset, MESSAGE_CREATED.name, tx.now, author, message)
    return Done(message, (event,))


_Read = list[tuple[tuple[int, str], int, int]]
"""(thread, user, offset) of authors who by writing have read what they were notified of."""


def _read_own(tx: Transaction, posts: Sequence[PostMessage], heads: dict[str, _Head], done: list[Posted]) -> _Read:
    """An author has read what they wrote. The same statement tells whether they may write."""
    last: dict[tuple[int, int], tuple[PostMessage, Any]] = {}
    for post, outcome in zip(posts, done, strict=True):
        last[heads[post.thread_id].key, post.identity.user.key] = (post, outcome.result)
    given = [(*pair, message.offset, message.number) for pair, (_, message) in last.items()]
    markers = {(thread, user): (role, has) for thread, user, role, has in MARK_OWN_AS_READ.run(tx.database, given)}
    read: _Read = []
    for pair, (post, message) in last.items():
        status: Any = heads[post.thread_id].status
        role, has_news = markers.get(pair, (None, False))
        permissions.must_write(post.identity, role, post.thread_id, status)
        if has_news:
            read.append(((pair[0], post.thread_id), pair[1], message.offset))
    return read


def _notify(
    tx: Transaction,
    posts: Sequence[PostMessage],
    heads: dict[str, _Head],
    parents: _Parents,
    done: list[Posted],
    read: _Read,
) -> tuple[UserEvent, ...]:
    """Most messages are no replies and mention no one: they are only scanned, without a statement. What is streamed
    notifies when it is complete."""
    markers: tuple[UserEvent, ...] = ()
    for thread, user_key, offset in read:
        markers += notifications.read_up_to(tx, thread, user_key, offset)
    written = []
    for post, outcome in zip(posts, done, strict=True):
        if (post.parent_id or may_mention(post.content, post.blocks)) and post.status != "STREAMING":
            message: Any = outcome.result
            answers = parents[_place(post)][1] if post.parent_id else None
            written.append(Written(message, heads[post.thread_id].key, answers))
    return markers + notifications.of_messages(tx, written) if written else markers


def _insert(
    tx: Transaction,
    posts: Sequence[PostMessage],
    heads: dict[str, _Head],
    parents: _Parents,
    done: list[Posted],
) -> None:
    messages, entries = [], []
    for post, outcome in zip(posts, done, strict=True):
        m: Any = outcome.result
        thread, author = heads[post.thread_id].key, m.author.key
        parent = parents[_place(post)][0] if m.parent_id else None
        messages.append(
            (m.key, m.id, thread, author, m.type, m.content, m.blocks, parent, m.metadata, m.status, m.offset,
             m.number, 1, tx.now)
        )  # fmt: skip
        entries.append((m.key, thread, m.offset, MESSAGE_CREATED.name, author, tx.now, m.key))
    INSERT_MESSAGES.run(tx.database, messages)
    INSERT_EVENTS.run(tx.database, entries)
