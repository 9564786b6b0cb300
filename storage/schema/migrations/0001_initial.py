"""Users, threads, messages and their log."""

import uuid
from typing import Any

from peewee import (
    BigIntegerField,
    BooleanField,
    Check,
    CompositeKey,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

EVENT_TYPES = (
    "thread.created", "thread.updated", "thread.deleted", "member.added", "member.updated", "member.removed",
    "message.created", "message.updated", "message.deleted", "reaction.added", "reaction.removed", "read.updated",
)  # fmt: skip


def one_of(column: str, values: tuple[str, ...]) -> Any:
    return Check(f"{column} IN ({', '.join(repr(value) for value in values)})")


class LogHead(Model):
    epoch = TextField()
    position = BigIntegerField(default=0)

    class Meta:
        table_name = "log_head"


class User(Model):
    uid = TextField(unique=True)
    subject = TextField(unique=True)
    email = TextField(index=True)
    name = TextField()
    avatar_url = TextField(null=True)
    role = TextField(constraints=[one_of("role", ("USER", "ADMIN"))])
    kind = TextField(constraints=[one_of("kind", ("HUMAN", "ASSISTANT", "SERVICE"))])
    domain = TextField()
    claims = TextField()
    status = TextField(constraints=[one_of("status", ("ACTIVE", "DEACTIVATED"))])
    metadata = TextField()
    version = IntegerField()
    created_at = BigIntegerField()
    updated_at = BigIntegerField()

    class Meta:
        table_name = "user"


class Thread(Model):
    uid = TextField(unique=True)
    title = TextField()
    creator = ForeignKeyField(User, index=False)
    status = TextField(constraints=[one_of("status", ("ACTIVE", "ARCHIVED", "CLOSED"))])
    metadata = TextField()
    memory = TextField()
    message_count = IntegerField()
    offset = IntegerField()
    position = BigIntegerField(index=True)
    last_message = BigIntegerField(null=True)
    version = IntegerField()
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)

    class Meta:
        table_name = "thread"


class Member(Model):
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)
    role = TextField(constraints=[one_of("role", ("OWNER", "MEMBER", "VIEWER"))])
    last_read_offset = IntegerField()
    last_read_number = IntegerField()
    muted = BooleanField()
    version = IntegerField()
    joined_at = BigIntegerField()

    class Meta:
        table_name = "member"
        primary_key = CompositeKey("thread", "user")
        without_rowid = True


class Message(Model):
    uid = TextField(unique=True)
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    author = ForeignKeyField(User, index=False)
    type = TextField(constraints=[one_of("type", ("USER", "ASSISTANT", "SYSTEM", "TOOL"))])
    content = TextField()
    blocks = TextField(null=True)
    parent = BigIntegerField(null=True)
    metadata = TextField()
    status = TextField(constraints=[one_of("status", ("STREAMING", "COMPLETE", "INTERRUPTED", "FAILED"))])
    offset = IntegerField()
    number = IntegerField()
    version = IntegerField()
    created_at = BigIntegerField()
    edited_at = BigIntegerField(null=True)
    deleted_at = BigIntegerField(null=True)

    class Meta:
        table_name = "message"
        indexes = ((("thread", "offset"), True),)


class MessageRevision(Model):
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


class Reaction(Model):
    message = ForeignKeyField(Message, on_delete="CASCADE", index=False)
    emoji = TextField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    position = BigIntegerField()
    created_at = BigIntegerField()

    class Meta:
        table_name = "reaction"
        primary_key = CompositeKey("message", "emoji", "user")
        without_rowid = True


class Event(Model):
    position = BigIntegerField(primary_key=True)
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    offset = IntegerField()
    type = TextField(constraints=[one_of("type", EVENT_TYPES)])
    actor = ForeignKeyField(User, index=False)
    time = BigIntegerField()
    ref = BigIntegerField(null=True)
    data = TextField(null=True)

    class Meta:
        table_name = "event"
        indexes = ((("thread", "offset"), True),)


class Idempotency(Model):
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    key = TextField()
    fingerprint = TextField()
    outcome = TextField()
    created_at = BigIntegerField(index=True)

    class Meta:
        table_name = "idempotency"
        primary_key = CompositeKey("user", "key")
        without_rowid = True


MODELS = (LogHead, User, Thread, Member, Message, MessageRevision, Reaction, Event, Idempotency)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx(MODELS):
        db.create_tables(MODELS)
        LogHead.insert(epoch=uuid.uuid4().hex[:16], position=0).execute()


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx(MODELS):
        db.drop_tables(MODELS)
