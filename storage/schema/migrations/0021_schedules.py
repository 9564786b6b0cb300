"""Scheduled messages and reminders."""

from typing import Any

from peewee import BigIntegerField, Check, Database, ForeignKeyField, IntegerField, Model, TextField


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Thread(Model):
    class Meta:
        table_name = "thread"


class Schedule(Model):
    uid = TextField(unique=True)
    kind = TextField(constraints=[Check("kind IN ('message', 'reminder')")])
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=True, null=True)
    message_id = TextField(null=True)
    content = TextField()
    blocks = TextField(null=True)
    metadata = TextField()
    due_at = BigIntegerField()
    local_time = TextField()
    time_zone = TextField()
    status = TextField(constraints=[Check("status IN ('pending', 'sending', 'sent', 'failed', 'cancelled')")])
    reason = TextField()
    version = IntegerField()
    created_at = BigIntegerField()
    ended_at = BigIntegerField(null=True, index=True)

    class Meta:
        table_name = "schedule"
        indexes = ((("user", "id"), False),)


Schedule.add_index(Schedule.due_at, name="schedule_due", where=Schedule.ended_at.is_null())


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, Thread, Schedule)):
        db.create_tables([Schedule])


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, Thread, Schedule)):
        db.drop_tables([Schedule])
