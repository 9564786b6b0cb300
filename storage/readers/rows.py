"""Rows become records: the queries that select what a record needs, and the functions that build it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from peewee import JOIN, SQL, Database, Query, Select, fn

from actors import limits
from actors.resources.files.file import File
from actors.resources.members import Member as MemberRecord
from actors.resources.messages import AskedToAcknowledge, ReactionGroup
from actors.resources.messages import Message as MessageRecord
from actors.resources.threads import Thread as ThreadRecord
from actors.resources.users import Author
from actors.resources.users import User as UserRecord
from actors.thread_parts import FIELDS, THREAD_PARTS
from storage.compiled import ManyRows, Prepared
from storage.resources.acknowledgements import records as acknowledgements
from storage.resources.files import records as files
from storage.schema.models import Member, Message, Reaction, Thread, User
from storage.schema.notification_models import Notification, UserLog

Parent = Message.alias("parent")

USER_COLUMNS = (
    User.id, User.uid, User.subject, User.email, User.name, User.avatar_url, User.role, User.kind, User.domain,
    User.status, User.metadata, User.version, User.created_at, User.updated_at,
    fn.COALESCE(UserLog.select(UserLog.offset).where(UserLog.user == User.id), SQL("0")),
)  # fmt: skip


def _author_columns(source: Any) -> tuple[Any, ...]:
    return (source.id, source.uid, source.name, source.kind, source.avatar_url)


def _message_columns(source: Any) -> tuple[Any, ...]:
    return (
        source.id, source.uid, source.type, source.content, source.blocks, source.metadata, source.status,
        source.offset, source.number, source.version, source.created_at, source.edited_at, source.deleted_at,
    )  # fmt: skip


MESSAGE_COLUMNS = (*_message_columns(Message), Parent.uid, Thread.uid, *_author_columns(User))
MEMBER_COLUMNS = (
    Member.role, Member.last_read_offset, Member.last_read_number, Member.muted, Member.version, Member.joined_at,
)  # fmt: skip
THREAD_COLUMNS = (
    Thread.id, Thread.uid, Thread.title, Thread.status, Thread.metadata, Thread.message_count,
    Thread.offset, Thread.position, Thread.last_message, Thread.version, Thread.created_at, Thread.updated_at,
    Thread.deleted_at, Thread.control, Thread.while_streaming,
)  # fmt: skip
PART_COLUMNS = tuple(getattr(Thread, field.name) for field in FIELDS)


def fetch(database: Database, query: Query) -> list[tuple[Any, ...]]:
    """All rows of a query as tuples, on the given database."""
    return list(query.bind(database).tuples().execute(database))


def iterate(database: Database, query: Query) -> Iterator[tuple[Any, ...]]:
    """The same, one after the other as they are asked for."""
    found: Iterator[tuple[Any, ...]] = query.bind(database).tuples().execute(database).iterator()
    return found


def first(database: Database, query: Any) -> tuple[Any, ...] | None:
    """The first row; no other is read, so the query needs no limit."""
    rows = fetch(database, query.limit(1))
    return rows[0] if rows else None


def users_query() -> Select:
    return User.select(*USER_COLUMNS)


def user_of(row: Sequence[Any]) -> UserRecord:
    return UserRecord(*row)


def author_of(row: Sequence[Any]) -> Author:
    return Author(*row)


def authors(database: Database, keys: Iterable[int]) -> dict[int, Author]:
    return {row[0]: author_of(row) for row in _AUTHORS.run(database, [(key,) for key in set(keys)])}


_AUTHORS = ManyRows(lambda count: User.select(*_author_columns(User)).where(User.id.in_([0] * count)))


def messages_query() -> Select:
    return (
        Message.select(*MESSAGE_COLUMNS)
        .join(Thread, on=(Message.thread == Thread.id))
        .join_from(Message, User, on=(Message.author == User.id))
        .join_from(Message, Parent, JOIN.LEFT_OUTER, on=(Message.parent == Parent.id))
    )


def messages_of(database: Database, rows: Sequence[Sequence[Any]], viewer_key: int | None) -> tuple[MessageRecord, ...]:
    """Messages with their reactions, files and requests to acknowledge; deleted ones have none."""
    alive = [row[0] for row in rows if row[12] is None]
    reactions = reaction_groups(database, alive, viewer_key)
    shown = files.of_messages(database, alive)
    asked = acknowledgements.of_messages(database, alive)
    return tuple(_message_of(row, reactions.get(row[0], ()), shown.get(row[0], ()), asked.get(row[0])) for row in rows)


def _message_of(
    row: Sequence[Any],
    reactions: tuple[ReactionGroup, ...],
    shown: tuple[File, ...],
    asked: AskedToAcknowledge | None,
) -> MessageRecord:
    (key, uid, kind, content, blocks, metadata, status, offset, number, version, created, edited, deleted) = row[:13]
    return MessageRecord(
        key=key, id=uid, thread_id=row[14], author=author_of(row[15:20]), type=kind, content=content, blocks=blocks,
        parent_id=row[13], metadata=metadata, status=status, reactions=reactions, offset=offset, number=number,
        version=version, created_at=created, edited_at=edited, deleted_at=deleted, files=shown,
        acknowledgement=asked,
    )  # fmt: skip


def reaction_groups(
    database: Database, message_keys: Sequence[int], viewer_key: int | None
) -> dict[int, tuple[ReactionGroup, ...]]:
    """Message key → its reactions by emoji, the emoji that came first in front."""
    counts = _REACTION_COUNTS.run(database, [(key,) for key in message_keys])
    few = [(key,) for key, count in counts if count <= limits.REACTIONS_READ]
    found = grouped(_REACTIONS.run(database, few), viewer_key)
    many = [key for key, count in counts if count > limits.REACTIONS_READ]
    return found | {key: _counted(database, key, viewer_key) for key in many}


def grouped(reactions: Iterable[Sequence[Any]], viewer_key: int | None) -> dict[int, tuple[ReactionGroup, ...]]:
    by_message: dict[int, dict[str, list[Author]]] = {}
    for message_key, emoji, *author in reactions:
        by_message.setdefault(message_key, {}).setdefault(emoji, []).append(author_of(author))
    return {key: tuple(_group(*item, viewer_key) for item in groups.items()) for key, groups in by_message.items()}


def reactions_query() -> Select:
    """In the order in which they were given."""
    query = Reaction.select(Reaction.message, Reaction.emoji, *_author_columns(User))
    return query.join(User, on=(Reaction.user == User.id)).order_by(Reaction.position)


_REACTIONS = ManyRows(lambda count: reactions_query().where(Reaction.message.in_([0] * count)))
_REACTION_COUNTS = ManyRows(
    lambda count: (
        Reaction.select(Reaction.message, fn.COUNT(Reaction.user))
        .where(Reaction.message.in_([0] * count))
        .group_by(Reaction.message)
    )
)


def _counted(database: Database, message_key: int, viewer_key: int | None) -> tuple[ReactionGroup, ...]:
    found = []
    for emoji, count in _BY_EMOJI.all(database, message=message_key):
        given = {"message": message_key, "emoji": emoji}
        users = tuple(author_of(row) for row in _FIRST_USERS.all(database, **given))
        mine = viewer_key is not None and _IS_THEIRS.first(database, **given, user=viewer_key) is not None
        found.append(ReactionGroup(emoji, count, users, mine))
    return tuple(found)


_BY_EMOJI = Prepared(
    lambda given: (
        Reaction.select(Reaction.emoji, fn.COUNT(Reaction.user))
        .where(Reaction.message == given.message)
        .group_by(Reaction.emoji)
        .order_by(fn.MIN(Reaction.position))
    )
)


def _first_users(given: Any) -> Select:
    """Found before they are joined with their users, or all would be."""
    same = (Reaction.message == given.message) & (Reaction.emoji == given.emoji)
    first = Reaction.select(Reaction.user, Reaction.position).where(same).order_by(Reaction.position)
    first = first.limit(limits.REACTION_USERS_SHOWN).alias("first")
    query = User.select(*_author_columns(User)).join(first, on=(User.id == first.c.user_id))
    return query.order_by(first.c.position)


_FIRST_USERS = Prepared(_first_users)
_IS_THEIRS = Prepared(
    lambda given: Reaction.select(Reaction.user).where(
        Reaction.message == given.message, Reaction.emoji == given.emoji, Reaction.user == given.user
    )
)


def _group(emoji: str, users: list[Author], viewer_key: int | None) -> ReactionGroup:
    return ReactionGroup(
        emoji=emoji,
        count=len(users),
        users=tuple(users[: limits.REACTION_USERS_SHOWN]),
        reacted_by_me=any(user.key == viewer_key for user in users),
    )


def message_by_key(database: Database, key: int, viewer_key: int | None) -> MessageRecord | None:
    found = messages_by_key(database, [key], viewer_key)
    return found[0] if found else None


def messages_by_key(database: Database, keys: Iterable[int], viewer_key: int | None) -> tuple[MessageRecord, ...]:
    """Those of them that there are, in no particular order."""
    return messages_of(database, _MESSAGES.run(database, [(key,) for key in keys]), viewer_key)


_MESSAGES = ManyRows(lambda count: messages_query().where(Message.id.in_([0] * count)))


def members_query() -> Select:
    return (
        Member.select(Thread.uid, *_author_columns(User), *MEMBER_COLUMNS)
        .join(Thread, on=(Member.thread == Thread.id))
        .join_from(Member, User, on=(Member.user == User.id))
    )


def member(database: Database, thread_key: int, user_key: int) -> MemberRecord | None:
    row = _MEMBER.first(database, thread=thread_key, user=user_key)
    return member_of(row) if row else None


_MEMBER = Prepared(lambda given: members_query().where((Member.thread == given.thread) & (Member.user == given.user)))


def member_of(row: Sequence[Any]) -> MemberRecord:
    thread_id, *rest = row
    role, read_offset, read_number, muted, version, joined = rest[5:]
    return MemberRecord(thread_id, author_of(rest[:5]), role, read_offset, read_number, bool(muted), version, joined)


def threads_query(viewer_key: Any) -> Select:
    """Threads with the viewer's own membership beside them (its columns are null where there is none)."""
    mine = (Member.thread == Thread.id) & (Member.user == viewer_key)
    return (
        Thread.select(
            *(*THREAD_COLUMNS, *_author_columns(User), *MEMBER_COLUMNS),
            *(_unread_mentions(viewer_key), HIDDEN, *PART_COLUMNS),
        )
        .join(User, on=(Thread.creator == User.id))
        .join_from(Thread, Member, JOIN.LEFT_OUTER, on=mine)
    )


_Gone = Message.alias("gone")
_GONE_AFTER = _Gone.select(fn.COUNT(_Gone.number)).where(
    (_Gone.thread == Member.thread)
    & (_Gone.number > Member.last_read_number)
    & (_Gone.author != Member.user)
    & _Gone.deleted_at.is_null(False)
)
HIDDEN = Member.own_after + _GONE_AFTER
"""Messages after a member's marker that are not unread: their own, and those of others that were deleted."""


def _unread_mentions(viewer_key: Any) -> Any:
    theirs = (Notification.user == viewer_key) & (Notification.thread == Thread.id) & Notification.read_at.is_null()
    return Notification.select(fn.COUNT(Notification.id)).where(theirs & (Notification.kind == "mention"))


def threads_of(database: Database, rows: Sequence[Sequence[Any]], viewer: Author | None) -> tuple[ThreadRecord, ...]:
    keys = [row[8] for row in rows if row[8] is not None]
    last = {message.key: message for message in messages_by_key(database, keys, viewer.key if viewer else None)}
    return tuple(_thread_of(row, last.get(row[8]), viewer) for row in rows)


def _thread_of(row: Sequence[Any], last_message: MessageRecord | None, viewer: Author | None) -> ThreadRecord:
    (key, uid, title, status, metadata, count, offset, position, _, version, created, updated, deleted, control,
     while_streaming) = row[:15]  # fmt: skip
    role, read_offset, read_number, muted, member_version, joined = row[20:26]
    mine = (
        MemberRecord(uid, viewer, role, read_offset, read_number, bool(muted), member_version, joined)
        if viewer and role
        else None
    )
    return ThreadRecord(
        key=key, id=uid, title=title, creator=author_of(row[15:20]), status=status, metadata=metadata,
        message_count=count, offset=offset, position=position, last_message=last_message, membership=mine,
        version=version, created_at=created, updated_at=updated, deleted_at=deleted,
        control=control, while_streaming=while_streaming, mention_count=row[26],
        unread_count=max(0, count - read_number - row[27]) if mine else 0, parts=_parts_of(uid, row[28:]),
    )  # fmt: skip


def _parts_of(thread_id: str, columns: Sequence[Any]) -> tuple[object, ...]:
    left = iter(columns)
    return tuple(part.record(thread_id, *islice(left, len(part.fields))) for part in THREAD_PARTS)


def thread_by_key(database: Database, key: int, viewer: Author | None) -> ThreadRecord | None:
    rows = _THREAD.all(database, key=key, viewer=viewer.key if viewer else None)
    return threads_of(database, rows, viewer)[0] if rows else None


_THREAD = Prepared(lambda given: threads_query(given.viewer).where(Thread.id == given.key))
