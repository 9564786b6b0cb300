"""Texts that grow in artifacts while they are written."""

from typing import Any

from peewee import BigIntegerField, Check, CompositeKey, Database, ForeignKeyField, IntegerField, Model, TextField


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Artifact(Model):
    class Meta:
        table_name = "artifact"


class ArtifactStream(Model):
    uid = TextField(unique=True)
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    author = ForeignKeyField(User, index=True)
    pointer = TextField()
    base = IntegerField()
    message = TextField(null=True)
    tool_call = TextField(null=True)
    model = TextField(null=True)
    status = TextField(constraints=[Check("status IN ('STREAMING', 'COMPLETE', 'INTERRUPTED')")])
    length = IntegerField()
    size = IntegerField()
    version = IntegerField(null=True)
    created_at = BigIntegerField()
    touched_at = BigIntegerField()
    ended_at = BigIntegerField(null=True)

    class Meta:
        table_name = "artifact_stream"
        indexes = ((("artifact", "id"), False),)


ArtifactStream.add_index(
    ArtifactStream.touched_at, name="artifact_stream_open", where=ArtifactStream.status == "STREAMING"
)


class ArtifactPiece(Model):
    stream = ForeignKeyField(ArtifactStream, on_delete="CASCADE", index=False)
    start = IntegerField()
    text = TextField()

    class Meta:
        table_name = "artifact_piece"
        primary_key = CompositeKey("stream", "start")
        without_rowid = True


_TABLES = (User, Artifact, ArtifactStream, ArtifactPiece)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx(_TABLES):
        db.create_tables([ArtifactStream, ArtifactPiece])


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('DELETE FROM "event" WHERE "type" LIKE \'artifact.stream%\'')
    with db.bind_ctx(_TABLES):
        db.drop_tables([ArtifactPiece, ArtifactStream])
