"""Actions on the blocks of messages."""

from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    Check,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Message(Model):
    class Meta:
        table_name = "message"


class Action(Model):
    id = AutoField()
    uid = TextField(unique=True)
    message = ForeignKeyField(Message, on_delete="CASCADE", index=False)
    message_version = IntegerField()
    author = ForeignKeyField(User, index=False)
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    block_id = TextField()
    action_id = TextField()
    kind = TextField()
    value = TextField()
    state = TextField()
    is_counted_once = BooleanField()
    status = TextField(constraints=[Check("status IN ('pending', 'done', 'failed', 'expired')")])
    text = TextField()
    errors = TextField()
    correlation_id = TextField()
    version = IntegerField()
    created_at = BigIntegerField(index=True)
    expires_at = BigIntegerField()
    answered_at = BigIntegerField(null=True)

    class Meta:
        table_name = "action"
        indexes = ((("message", "id"), False), (("user", "id"), False), (("author", "id"), False))


Action.add_index(Action.author, Action.id, name="action_waiting", where=Action.status == "pending")
Action.add_index(Action.expires_at, name="action_expiring", where=Action.status == "pending")
Action.add_index(
    Action.message,
    Action.block_id,
    name="action_once",
    unique=True,
    where=(Action.is_counted_once == 1) & Action.status.in_(["pending", "done"]),
)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, Message, Action)):
        db.create_tables((Action,))


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('DELETE FROM "user_event" WHERE "type" GLOB \'action*\'')
    with db.bind_ctx((User, Message, Action)):
        db.drop_tables((Action,))
