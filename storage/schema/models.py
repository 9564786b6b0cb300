"""The schema. Integer keys inside, sortable public ids (`uid`) beside them, times in integer milliseconds.

Every index names the query that needs it. Instances of these models never leave `storage/`.
"""

import hashlib
from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    Check,
    CompositeKey,
    DatabaseProxy,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
    fn,
)

from actors.resources.members import MEMBER_ROLES
from actors.resources.messages import MESSAGE_STATUSES, MESSAGE_TYPES
from actors.resources.notifications import NOTIFY
from actors.resources.threads import CONTROLS, THREAD_STATUSES, WHILE_STREAMING
from actors.resources.users import USER_KINDS, USER_ROLES, USER_STATUSES

database_proxy = DatabaseProxy()
"""Never bound: each query names its database, the writer's or a reader's."""


def one_of(column: str, values: tuple[str, ...]) -> Any:
    return Check(f"{column} IN ({', '.join(repr(value) for value in values)})")


def _enumeration(column: str, values: tuple[str, ...], default: str | None = None) -> TextField:
    return TextField(default=default, constraints=[one_of(column, values)])


class Base(Model):
    id: "AutoField[int]"

    class Meta:
        database = database_proxy
        legacy_table_names = False


class LogHead(Base):
    """One row: the incarnation of the log and its newest position."""

    epoch = TextField()
    position = BigIntegerField(default=0)

    class Meta:
        table_name = "log_head"


FORGOTTEN = "\x01forgotten:"
"""Not printable, so that no token can speak for it."""


def forgotten(subject: str) -> str:
    """What stays of the subject of a user who was deleted, so that no token brings them back."""
    if subject.startswith(FORGOTTEN):
        return subject
    return FORGOTTEN + hashlib.sha256(subject.encode(errors="surrogatepass")).hexdigest()


class User(Base):
    uid = TextField(unique=True)  # users by public id
    subject = TextField(unique=True)  # the user that a token speaks for
    email = TextField(index=True)  # is this address taken
    shares_email = IntegerField(default=0)  # 1: had another's address before addresses were unique
    name = TextField()
    avatar_url = TextField(null=True)
    role = _enumeration("role", USER_ROLES, "USER")
    kind = _enumeration("kind", USER_KINDS, "HUMAN")
    domain = TextField(default="")
    claims = TextField(default="")  # JSON of the last claims, to notice changed ones
    status = _enumeration("status", USER_STATUSES, "ACTIVE")
    metadata = TextField(default="{}")
    version = IntegerField(default=1)
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)

    class Meta:
        table_name = "user"


User.add_index(  # an address is one user's
    User.email, name="user_address", unique=True, where=(User.email != "") & (User.shares_email == 0)
)


class UserHandle(Base):
    """By what an `@name` finds a user: see `actors.names.handles`."""

    handle = TextField()  # looks up the users of a name
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)  # what was theirs before

    class Meta:
        table_name = "user_handle"
        primary_key = CompositeKey("handle", "user")
        without_rowid = True


class Thread(Base):
    uid = TextField(unique=True)  # threads by public id
    title = TextField()
    creator = ForeignKeyField(User, index=False)
    status = _enumeration("status", THREAD_STATUSES, "ACTIVE")
    metadata = TextField(default="{}")
    memory = TextField(default="{}")
    memory_version = IntegerField(default=1)
    control = _enumeration("control", CONTROLS, "shared")
    while_streaming = _enumeration("while_streaming", WHILE_STREAMING, "parallel")
    message_count = IntegerField(default=0)
    offset = IntegerField(default=0)
    position = BigIntegerField(default=0, index=True)  # all threads by last activity, for admins
    last_message = BigIntegerField(
        null=True
    )  # key of the newest message; no constraint: they would point at each other
    version = IntegerField(default=1)
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)

    class Meta:
        table_name = "thread"


class Member(Base):
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)  # my threads
    role = _enumeration("role", MEMBER_ROLES, "MEMBER")
    last_read_offset = IntegerField(default=0)
    last_read_number = IntegerField(default=0)
    own_after = IntegerField(default=0)  # own messages after the marker: they are read, whatever it says
    muted = BooleanField(default=False)
    notify = TextField(null=True, constraints=[one_of("notify", NOTIFY)])  # null: as the member wants it everywhere
    version = IntegerField(default=1)
    joined_at = BigIntegerField()

    class Meta:
        table_name = "member"
        primary_key = CompositeKey("thread", "user")
        without_rowid = True


class Message(Base):
    """Its key is the log position of its message.created: one counter for both, and order by key is order in time."""

    uid = TextField(unique=True)  # messages by public id
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    author = ForeignKeyField(User, index=False)
    type = _enumeration("type", MESSAGE_TYPES, "USER")
    content = TextField()
    blocks = TextField(null=True)
    parent = BigIntegerField(null=True)  # key of the message replied to, which stays as a tombstone when deleted
    metadata = TextField(default="{}")
    status = _enumeration("status", MESSAGE_STATUSES, "COMPLETE")
    offset = IntegerField()
    number = IntegerField()
    version = IntegerField(default=1)
    created_at = BigIntegerField()
    edited_at = BigIntegerField(null=True)
    deleted_at = BigIntegerField(null=True)
    streamed_at = BigIntegerField(null=True)  # while it is being written: when it was saved last

    class Meta:
        table_name = "message"
        indexes = ((("thread", "offset"), True),)  # pages of a thread's messages, both ways


Message.add_index(  # those that are being written
    Message.thread, name="message_streaming", where=Message.status == "STREAMING"
)
Message.add_index(  # how many after a marker are gone, and so not unread
    Message.thread,
    Message.number,
    Message.author,
    Message.deleted_at,
    name="message_deleted",
    where=Message.deleted_at.is_null(False),
)
Message.add_index(  # what answers a message
    Message.parent, name="message_answers", where=Message.parent.is_null(False)
)


class MessageRevision(Base):
    message = ForeignKeyField(Message, on_delete="CASCADE", index=False)
    version = IntegerField()
    content = TextField()
    blocks = TextField(null=True)
    metadata = TextField()
    edited_by = ForeignKeyField(User, index=False)
    replaced_at = BigIntegerField()

    class Meta:
        table_name = "message_revision"
        primary_key = CompositeKey("message", "version")
        without_rowid = True


class Reaction(Base):
    message = ForeignKeyField(Message, on_delete="CASCADE", index=False)
    emoji = TextField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    position = BigIntegerField()  # of its reaction.added: the order in which they were given
    created_at = BigIntegerField()

    class Meta:
        table_name = "reaction"
        primary_key = CompositeKey("message", "emoji", "user")
        without_rowid = True


class Event(Base):
    """The log: one row for every durable change, with a reference to the resource rather than a copy of it."""

    position = BigIntegerField(primary_key=True)
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    offset = IntegerField()
    type = TextField()  # a name of `event_kinds.KINDS`; no CHECK, so that a new type needs no copy of the log
    actor = ForeignKeyField(User, index=False)
    time = BigIntegerField()
    ref = BigIntegerField(null=True)  # key of the message or user changed
    data = TextField(null=True)  # JSON, where the change leaves no resource behind

    class Meta:
        table_name = "event"
        indexes = ((("thread", "offset"), True),)  # the log of a thread after an offset


Event.add_index(  # the events about an artifact; few events are, and a message costs this index nothing
    Event.ref,
    Event.offset,
    name="event_artifact",
    where=fn.SUBSTR(Event.type, 1, 8).in_(("artifact", "proposal", "comment.")),
)


class Idempotency(Base):
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    key = TextField()
    fingerprint = TextField()
    outcome = TextField()  # JSON: what the first request came to, by reference
    created_at = BigIntegerField(index=True)  # what is older than 24 hours goes

    class Meta:
        table_name = "idempotency"
        primary_key = CompositeKey("user", "key")
        without_rowid = True


MODELS: tuple[type[Base], ...] = (
    UserHandle,
    LogHead,
    User,
    Thread,
    Member,
    Message,
    MessageRevision,
    Reaction,
    Event,
    Idempotency,
)
"""Every table, parents first."""
