"""What is one's own: a user's log, notifications, preferences, and what waits for delivery outside."""

from typing import Any

from peewee import (
    SQL,
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


def one_of(column: str, *values: str) -> Any:
    return Check(f"{column} IN ({', '.join(repr(value) for value in values)})")


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


class UserLog(Model):
    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    offset = IntegerField()
    first = IntegerField()

    class Meta:
        table_name = "user_log"


UserLog.add_index(UserLog.user, name="user_log_long", where=SQL('("offset" - "first" >= 1000)'))


class UserEvent(Model):
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    offset = IntegerField()
    type = TextField()
    time = BigIntegerField(index=True)
    data = TextField()

    class Meta:
        table_name = "user_event"
        primary_key = CompositeKey("user", "offset")
        without_rowid = True


class Notification(Model):
    uid = TextField(unique=True)
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    kind = TextField(constraints=[one_of("kind", "mention", "reply", "reaction", "added")])
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=True)
    message = ForeignKeyField(Message, on_delete="CASCADE", index=False, null=True)
    actor = ForeignKeyField(User, index=False)
    created_at = BigIntegerField(index=True)
    read_at = BigIntegerField(null=True)

    class Meta:
        table_name = "notification"
        indexes = ((("user", "id"), False), (("message", "user"), True))


Notification.add_index(
    Notification.user, Notification.thread, name="notification_unread", where=Notification.read_at.is_null()
)


class Preference(Model):
    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    notify = TextField(constraints=[one_of("notify", "all", "mentions", "none")])
    deliver = TextField()
    quiet_from = IntegerField(null=True)
    quiet_to = IntegerField(null=True)
    time_zone = TextField()
    show_read = BooleanField()
    version = IntegerField()

    class Meta:
        table_name = "preference"


class Outbox(Model):
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)
    kind = TextField(constraints=[one_of("kind", "web_push", "webhook")])
    notification = ForeignKeyField(Notification, on_delete="CASCADE", index=True)
    not_before = BigIntegerField()
    attempts = IntegerField()
    state = TextField(constraints=[one_of("state", "pending", "sent", "failed")])
    created_at = BigIntegerField(index=True)

    class Meta:
        table_name = "outbox"


Outbox.add_index(Outbox.not_before, name="outbox_due", where=Outbox.state == "pending")

MODELS = (UserLog, UserEvent, Notification, Preference, Outbox)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, Thread, Message, *MODELS)):
        db.create_tables(MODELS)
    db.execute_sql("ALTER TABLE \"member\" ADD COLUMN \"notify\" TEXT CHECK (notify IN ('all', 'mentions', 'none'))")


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('ALTER TABLE "member" DROP COLUMN "notify"')
    with db.bind_ctx((User, Thread, Message, *MODELS)):
        db.drop_tables(MODELS)
