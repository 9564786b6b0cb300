"""Legal holds."""

from typing import Any

from peewee import BigIntegerField, Check, Database, ForeignKeyField, Model, TextField


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Thread(Model):
    class Meta:
        table_name = "thread"


class LegalHold(Model):
    uid = TextField(unique=True)
    thread = ForeignKeyField(Thread, null=True, index=True)
    user = ForeignKeyField(User, null=True, index=True)
    reason = TextField()
    creator = ForeignKeyField(User, index=False)
    created_at = BigIntegerField()

    class Meta:
        table_name = "legal_hold"
        constraints = (Check("(thread_id IS NULL) <> (user_id IS NULL)"),)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx([User, Thread, LegalHold]):
        db.create_tables([LegalHold])


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx([User, Thread, LegalHold]):
        db.drop_tables([LegalHold])
