"""Reminders notify: some are about no thread."""

from typing import Any

from peewee import BigIntegerField, Check, Database, ForeignKeyField, IntegerField, Model, TextField

_INDEXES = ((("user", "id"), False), (("message", "user"), True))
_KINDS = ("acknowledgement", "mention", "reply", "reaction", "added")
_COLUMNS = "id, uid, user_id, kind, thread_id, message_id, actor_id, created_at, read_at, comment_id"
_OUTBOX = "id, user_id, kind, notification_id, not_before, attempts, state, created_at, reached, error"


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Thread(Model):
    class Meta:
        table_name = "thread"


class Message(Model):
    class Meta:
        table_name = "message"


class Comment(Model):
    class Meta:
        table_name = "artifact_comment"


class Schedule(Model):
    class Meta:
        table_name = "schedule"


class _Notification(Model):
    uid = TextField(unique=True)
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    message = ForeignKeyField(Message, on_delete="CASCADE", index=False, null=True)
    actor = ForeignKeyField(User, index=False)
    created_at = BigIntegerField(index=True)
    read_at = BigIntegerField(null=True)

    class Meta:
        table_name = "notification"
        indexes = _INDEXES


def _kinds(*names: str) -> Any:
    return TextField(constraints=[Check(f"kind IN ({', '.join(map(repr, names))})")])


def _with_reminders() -> Any:
    class Notification(_Notification):
        kind = _kinds(*_KINDS, "reminder")
        thread = ForeignKeyField(Thread, on_delete="CASCADE", index=True, null=True)
        comment = ForeignKeyField(Comment, on_delete="CASCADE", index=False, null=True)
        schedule = ForeignKeyField(Schedule, on_delete="CASCADE", null=True, unique=True)

        class Meta:
            table_name = "notification"
            indexes = (*_INDEXES, (("comment", "user"), True))

    return Notification


def _without() -> Any:
    class Notification(_Notification):
        kind = _kinds(*_KINDS)
        thread = ForeignKeyField(Thread, on_delete="CASCADE", index=True)

        class Meta:
            table_name = "notification"

    return Notification


def _outbox_of(notification_model: Any) -> Any:
    class Outbox(Model):
        user = ForeignKeyField(User, on_delete="CASCADE", index=True)
        kind = TextField(constraints=[Check("kind IN ('web_push', 'webhook', 'email')")])
        notification = ForeignKeyField(notification_model, on_delete="CASCADE", index=True)
        not_before = BigIntegerField()
        attempts = IntegerField()
        state = TextField(constraints=[Check("state IN ('pending', 'sent', 'failed')")])
        created_at = BigIntegerField(index=True)
        reached = TextField()
        error = TextField(null=True)

        class Meta:
            table_name = "outbox"

    Outbox.add_index(Outbox.not_before, name="outbox_due", where=Outbox.state == "pending")
    return Outbox


def up(migrator: Any, db: Database) -> None:
    _remake(db, _with_reminders())


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('DELETE FROM "notification" WHERE "kind" = \'reminder\'')
    _remake(db, _without(), *_COMMENT)


_COMMENT = (  # a column that is added later can be dropped again, one in a constraint of the table cannot
    'ALTER TABLE "notification" ADD COLUMN "comment_id" INTEGER REFERENCES "artifact_comment" ("id") ON DELETE CASCADE',
    'CREATE UNIQUE INDEX "notification_comment_id_user_id" ON "notification" ("comment_id", "user_id")',
)


def _remake(db: Database, notification: Any, *further: str) -> None:
    """The table again, because SQLite makes no column optional; and the outbox, whose rows would go with it."""
    notification.add_index(
        notification.user, notification.thread, name="notification_unread", where=notification.read_at.is_null()
    )
    outbox = _outbox_of(notification)
    tables = (("notification", _COLUMNS), ("outbox", _OUTBOX))
    for name, _ in reversed(tables):
        db.execute_sql(f'CREATE TEMP TABLE "kept_{name}" AS SELECT * FROM "{name}"')  # noqa: S608 - names of tables
        db.execute_sql(f'DROP TABLE "{name}"')
    with db.bind_ctx((User, Thread, Message, Comment, Schedule, notification, outbox)):
        db.create_tables([notification, outbox])
    for statement in further:
        db.execute_sql(statement)
    for name, columns in tables:
        db.execute_sql(f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM "kept_{name}"')  # noqa: S608
        db.execute_sql(f'DROP TABLE "kept_{name}"')
