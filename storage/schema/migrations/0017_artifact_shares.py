"""Links by which artifacts are read without a token."""

from typing import Any

from peewee import BigIntegerField, Database, ForeignKeyField, IntegerField, Model, TextField


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Artifact(Model):
    class Meta:
        table_name = "artifact"


class ArtifactShare(Model):
    uid = TextField(unique=True)
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=True)
    creator = ForeignKeyField(User, index=False)
    version = IntegerField(null=True)
    label = TextField(null=True)
    created_at = BigIntegerField()
    expires_at = BigIntegerField()
    revoked_at = BigIntegerField(null=True)
    views = IntegerField()
    viewed_at = BigIntegerField(null=True)

    class Meta:
        table_name = "artifact_share"


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, Artifact, ArtifactShare)):
        db.create_tables([ArtifactShare])


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, Artifact, ArtifactShare)):
        db.drop_tables([ArtifactShare])
