"""Proposals to change artifacts."""

from typing import Any

from peewee import BigIntegerField, Check, Database, ForeignKeyField, IntegerField, Model, TextField

_STATUSES = "status IN ('open', 'accepted', 'partly_accepted', 'rejected', 'withdrawn')"


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Artifact(Model):
    class Meta:
        table_name = "artifact"


class ArtifactBody(Model):
    class Meta:
        table_name = "artifact_body"


class Proposal(Model):
    uid = TextField(unique=True)
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    author = ForeignKeyField(User, index=False)
    base = IntegerField()
    base_body = ForeignKeyField(ArtifactBody, null=True, index=True)
    comment = TextField()
    message = TextField(null=True)
    tool_call = TextField(null=True)
    model = TextField(null=True)
    status = TextField(constraints=[Check(_STATUSES)])
    count = IntegerField()
    patch = TextField(null=True)
    hunks = TextField(null=True)
    resolver = ForeignKeyField(User, null=True, index=False)
    resolved_at = BigIntegerField(null=True)
    reason = TextField()
    accepted = TextField()
    version = IntegerField(null=True)
    created_at = BigIntegerField()
    updated_at = BigIntegerField()

    class Meta:
        table_name = "artifact_proposal"
        indexes = ((("artifact", "id"), False), (("artifact", "status", "id"), False), (("author", "id"), False))


_TABLES = (User, Artifact, ArtifactBody, Proposal)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx(_TABLES):
        db.create_tables([Proposal])


def down(migrator: Any, db: Database) -> None:
    """The bodies that only proposals refer to go with them."""
    db.execute_sql('DELETE FROM "event" WHERE "type" LIKE \'proposal.%\'')
    db.execute_sql(
        'UPDATE "artifact_body" SET "references" = "references" - '
        '(SELECT count(*) FROM "artifact_proposal" WHERE "base_body_id" = "artifact_body"."id")'
    )
    with db.bind_ctx(_TABLES):
        db.drop_tables([Proposal])
    db.execute_sql('DELETE FROM "artifact_body" WHERE "references" < 1')
