"""Comments on artifacts, and notifications about them."""

from typing import Any

from peewee import BigIntegerField, Database, ForeignKeyField, IntegerField, Model, TextField


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


class Comment(Model):
    uid = TextField(unique=True)
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    parent = ForeignKeyField("self", null=True, on_delete="CASCADE", index=False)
    author = ForeignKeyField(User, index=False)
    content = TextField()
    base = IntegerField()
    base_body = ForeignKeyField(ArtifactBody, null=True, index=True)
    anchor = TextField(null=True)
    version = IntegerField()
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    edited_at = BigIntegerField(null=True)
    resolver = ForeignKeyField(User, null=True, index=False)
    resolved_at = BigIntegerField(null=True)
    deleted_at = BigIntegerField(null=True)

    class Meta:
        table_name = "artifact_comment"
        indexes = ((("artifact", "id"), False), (("parent", "id"), False), (("author", "id"), False))


_TABLES = (User, Artifact, ArtifactBody, Comment)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx(_TABLES):
        db.create_tables([Comment])
    db.execute_sql(
        'ALTER TABLE "notification" ADD COLUMN "comment_id" INTEGER '
        'REFERENCES "artifact_comment" ("id") ON DELETE CASCADE'
    )
    db.execute_sql('CREATE UNIQUE INDEX "notification_comment_id_user_id" ON "notification" ("comment_id", "user_id")')


def down(migrator: Any, db: Database) -> None:
    """The bodies that only comments refer to go with them."""
    db.execute_sql('DELETE FROM "event" WHERE "type" LIKE \'comment.%\'')
    db.execute_sql('DELETE FROM "notification" WHERE "comment_id" IS NOT NULL')
    db.execute_sql('DROP INDEX "notification_comment_id_user_id"')
    db.execute_sql('ALTER TABLE "notification" DROP COLUMN "comment_id"')
    db.execute_sql(
        'UPDATE "artifact_body" SET "references" = "references" - '
        '(SELECT count(*) FROM "artifact_comment" WHERE "base_body_id" = "artifact_body"."id")'
    )
    with db.bind_ctx(_TABLES):
        db.drop_tables([Comment])
    db.execute_sql('DELETE FROM "artifact_body" WHERE "references" < 1')
