"""Artifacts: records, versions, the bodies that versions share, and a search index of their own."""

from typing import Any

from peewee import (
    BigIntegerField,
    BlobField,
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


class Artifact(Model):
    uid = TextField(unique=True)
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    creator = ForeignKeyField(User, index=False)
    type = TextField(constraints=[one_of("type", "INSIGHT", "REPORT", "DASHBOARD", "PDF", "REFERENCE")])
    version = IntegerField()
    dropped = IntegerField()
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)

    class Meta:
        table_name = "artifact"
        indexes = ((("thread", "id"), False), (("creator", "id"), False))


class ArtifactBody(Model):
    digest = TextField(unique=True)
    data = BlobField()
    references = IntegerField()

    class Meta:
        table_name = "artifact_body"


class ArtifactVersion(Model):
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    number = IntegerField()
    title = TextField()
    metadata = TextField()
    body = ForeignKeyField(ArtifactBody, index=True)
    size = IntegerField()
    author = ForeignKeyField(User, index=False)
    created_at = BigIntegerField()
    change = TextField(constraints=[one_of("change", "created", "replaced", "patched", "merged", "restored")])
    label = TextField(null=True)
    message = TextField(null=True)
    tool_call = TextField(null=True)
    model = TextField(null=True)
    restored_from = IntegerField(null=True)

    class Meta:
        table_name = "artifact_version"
        primary_key = CompositeKey("artifact", "number")


MODELS = (Artifact, ArtifactBody, ArtifactVersion)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, Thread, *MODELS)):
        db.create_tables(MODELS)
    db.execute_sql(
        """CREATE VIRTUAL TABLE "artifact_text" USING fts5 (title, text,
        tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Mn Mc'")"""
    )


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('DROP TABLE "artifact_text"')
    db.execute_sql('DELETE FROM "event" WHERE "type" GLOB \'artifact.*\'')
    with db.bind_ctx((User, Thread, *MODELS)):
        db.drop_tables(reversed(MODELS))
