"""Subscriptions to Web Push; what the outbox remembers of its attempts."""

from typing import Any

from peewee import BigIntegerField, BlobField, Database, ForeignKeyField, Model, TextField


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class PushSubscription(Model):
    uid = TextField(unique=True)
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)
    session = TextField(null=True)
    api_key = TextField(null=True)
    name = TextField()
    endpoint = TextField(unique=True)
    p256dh = BlobField()
    auth = BlobField()
    created_at = BigIntegerField()
    sent_at = BigIntegerField(null=True)
    failing_since = BigIntegerField(null=True)

    class Meta:
        table_name = "push_subscription"


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, PushSubscription)):
        db.create_tables([PushSubscription])
    db.execute_sql('DELETE FROM "outbox"')  # nothing was sent so far, and old news are none
    db.execute_sql('ALTER TABLE "outbox" ADD COLUMN "reached" TEXT NOT NULL DEFAULT \'[]\'')
    db.execute_sql('ALTER TABLE "outbox" ADD COLUMN "error" TEXT')


def down(migrator: Any, db: Database) -> None:
    """Browsers hear nothing more."""
    db.execute_sql('ALTER TABLE "outbox" DROP COLUMN "error"')
    db.execute_sql('ALTER TABLE "outbox" DROP COLUMN "reached"')
    with db.bind_ctx((User, PushSubscription)):
        db.drop_tables([PushSubscription])
