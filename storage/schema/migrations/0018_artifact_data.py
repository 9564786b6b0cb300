"""Data sets of artifacts, and their rows."""

from typing import Any

from peewee import BigIntegerField, CompositeKey, Database, ForeignKeyField, IntegerField, Model, TextField


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Artifact(Model):
    class Meta:
        table_name = "artifact"


class ArtifactData(Model):
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    name = TextField()
    columns = TextField()
    first = IntegerField()
    next = IntegerField()
    size = IntegerField()
    revision = IntegerField()
    author = ForeignKeyField(User, index=False)
    updated_at = BigIntegerField()

    class Meta:
        table_name = "artifact_data"
        indexes = ((("artifact", "name"), True),)


class ArtifactDataRow(Model):
    data = ForeignKeyField(ArtifactData, on_delete="CASCADE", index=False)
    number = IntegerField()
    cells = TextField()

    class Meta:
        table_name = "artifact_data_row"
        primary_key = CompositeKey("data", "number")
        without_rowid = True


MODELS = (ArtifactData, ArtifactDataRow)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, Artifact, *MODELS)):
        db.create_tables(MODELS)


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('DELETE FROM "event" WHERE "type" = \'artifact.data_updated\'')
    with db.bind_ctx((User, Artifact, *MODELS)):
        db.drop_tables(reversed(MODELS))
