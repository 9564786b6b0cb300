"""How many bytes a record takes as JSON, about: never much less than it does."""

from functools import singledispatch

import orjson

from actors.events import Event
from actors.resources.audit import AuditEntry
from actors.resources.messages import Message, Revision
from actors.resources.search import Hit
from actors.resources.threads import Thread
from actors.resources.user_events import UserEvent
from actors.resources.users import Author, User

FIXED = 512
"""Names of fields, ids, times."""
_ESCAPED = 6
"""Bytes of a character at most: a control character becomes `\\u0001`."""


@singledispatch
def of(record: object) -> int:
    """A record's bytes; a resource whose records may be large registers theirs, by `of.register`."""
    return FIXED


def text(said: str) -> int:
    """As a JSON string, with what has to be escaped."""
    return len(orjson.dumps(said))


def carried(document: str | None) -> int:
    """JSON that goes out as it is stored."""
    if document is None:
        return 4
    return len(document) if document.isascii() else len(document.encode())


def author(record: Author) -> int:
    return FIXED // 4 + _ESCAPED * len(record.name) + len(record.avatar_url or "")


@of.register
def message(record: Message) -> int:
    reactions = sum(author(user) for group in record.reactions for user in group.users)
    asked = record.acknowledgement.user_ids or () if record.acknowledgement else ()
    return (
        FIXED + author(record.author) + text(record.content) + carried(record.blocks) + carried(record.metadata)
        + (FIXED // 4) * len(record.reactions) + reactions + sum(map(of, record.files)) + sum(map(len, asked))
    )  # fmt: skip


def revision(record: Revision) -> int:
    return (
        FIXED + author(record.edited_by) + text(record.content) + carried(record.blocks) + carried(record.metadata)
    )  # fmt: skip


@of.register
def thread(record: Thread) -> int:
    last = message(record.last_message) if record.last_message else 0
    return (
        2 * FIXED + author(record.creator) + text(record.title) + carried(record.metadata) + sum(map(of, record.parts))
        + last
    )  # fmt: skip


def user(record: User) -> int:
    return FIXED + author(record.author) + len(record.email) + carried(record.metadata)


def hit(record: Hit) -> int:
    found = message(record.message) if record.message else 0
    return FIXED + text(record.title) + sum(FIXED // 8 + text(piece.text) for piece in record.snippet) + found


def audit_entry(record: AuditEntry) -> int:
    size = len(record.address) + len(record.user_agent) + _ESCAPED * len(record.actor_name) + text(record.reason)
    return 2 * FIXED + size + carried(record.before) + carried(record.after)


def event(record: Event) -> int:
    return FIXED + author(record.actor) + of(record.data)


def user_event(record: UserEvent) -> int:
    return FIXED + (user(record.data) if isinstance(record.data, User) else FIXED + of(record.data))
