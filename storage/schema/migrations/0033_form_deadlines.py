"""When forms close, so that unanswered ones notify. Forms that were there before have no row."""

from typing import Any

from peewee import BigIntegerField, Check, Database, ForeignKeyField, Model, TextField


class Message(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "message"


class Artifact(Model):
    class Meta:
        table_name = "artifact"


class FormDeadline(Model):
    message = ForeignKeyField(Message, on_delete="CASCADE", null=True, index=False)
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", null=True, index=False)
    block_id = TextField()
    expires_at = BigIntegerField(index=True)

    class Meta:
        table_name = "form_deadline"
        constraints = (Check("(message_id IS NULL) <> (artifact_id IS NULL)"),)
        indexes = ((("message", "block_id"), True), (("artifact", "block_id"), True))


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((Message, Artifact, FormDeadline)):
        db.create_tables((FormDeadline,))


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('DELETE FROM "user_event" WHERE "type" = \'form.expired\'')
    with db.bind_ctx((Message, Artifact, FormDeadline)):
        db.drop_tables((FormDeadline,))
