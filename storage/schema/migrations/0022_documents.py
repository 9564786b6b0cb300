"""Documents of artifacts, and their edits."""

from typing import Any

from peewee import BigIntegerField, BlobField, CompositeKey, Database, ForeignKeyField, IntegerField, Model, TextField


class Artifact(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "artifact"


class Document(Model):
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", unique=True)
    state = BlobField()
    newest = IntegerField()
    version = IntegerField()
    faults = TextField()
    updated_at = BigIntegerField()

    class Meta:
        table_name = "artifact_document"


class Edit(Model):
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    number = IntegerField()
    data = BlobField()

    class Meta:
        table_name = "artifact_edit"
        primary_key = CompositeKey("artifact", "number")
        without_rowid = True


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((Artifact, Document, Edit)):
        db.create_tables([Document, Edit])


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx((Artifact, Document, Edit)):
        db.drop_tables([Edit, Document])
