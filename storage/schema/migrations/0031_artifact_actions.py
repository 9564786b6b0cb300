"""Actions on the blocks of artifacts, in the table of those on messages."""

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
from playhouse.migrate import migrate


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Message(Model):
    class Meta:
        table_name = "message"


class Artifact(Model):
    class Meta:
        table_name = "artifact"


def action(table: str, *, of_artifacts: bool) -> Any:
    class Action(Model):
        id = AutoField()
        uid = TextField(unique=True)
        if of_artifacts:
            message = ForeignKeyField(Message, on_delete="CASCADE", null=True, index=False)
            artifact = ForeignKeyField(Artifact, on_delete="CASCADE", null=True, index=False)
            subject_version = IntegerField()
        else:
            message = ForeignKeyField(Message, on_delete="CASCADE", index=False)  # type: ignore[assignment]
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
            table_name = table
            indexes = (
                (("message", "id"), False),
                *([(("artifact", "id"), False)] if of_artifacts else []),
                (("user", "id"), False),
                (("author", "id"), False),
            )
            constraints = (Check("(message_id IS NULL) <> (artifact_id IS NULL)"),) if of_artifacts else ()

    counts = (Action.is_counted_once == 1) & Action.status.in_(["pending", "done"])
    Action.add_index(Action.author, Action.id, name="action_waiting", where=Action.status == "pending")
    Action.add_index(Action.expires_at, name="action_expiring", where=Action.status == "pending")
    Action.add_index(Action.message, Action.block_id, name="action_once", unique=True, where=counts)
    if of_artifacts:
        named = "action_once_in_artifact"
        Action.add_index(Action.artifact, Action.block_id, name=named, unique=True, where=counts)
    return Action


def up(migrator: Any, db: Database) -> None:
    rebuild(migrator, db, of_artifacts=True)


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('DELETE FROM "action" WHERE "message_id" IS NULL')
    db.execute_sql('DELETE FROM "event" WHERE "type" LIKE \'artifact.action%\'')
    rebuild(migrator, db, of_artifacts=False)


def rebuild(migrator: Any, db: Database, *, of_artifacts: bool) -> None:
    """Nothing refers to the table. Indexes come last, because their names are taken until the old table is gone."""
    old: Any = action("action", of_artifacts=not of_artifacts)
    new: Any = action("action_new", of_artifacts=of_artifacts)
    final: Any = action("action", of_artifacts=of_artifacts)
    with db.bind_ctx([old, new, final, Message, Artifact, User]):
        new._schema.create_table(safe=False)
        versions = {"message_version": "subject_version", "subject_version": "message_version"}
        fields = [field for field in new._meta.sorted_fields if field.name != "artifact"]
        there = [old._meta.fields.get(field.name) or old._meta.fields[versions[field.name]] for field in fields]
        new.insert_from(old.select(*there).order_by(old.id), fields).execute()
        db.drop_tables([old], safe=False)
        migrate(migrator.rename_table("action_new", "action"))
        final._schema.create_indexes(safe=False)
