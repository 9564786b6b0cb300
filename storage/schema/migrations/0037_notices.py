"""Mails about changes of an account."""

from typing import Any

from peewee import BigIntegerField, Check, Database, ForeignKeyField, IntegerField, Model, TextField


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Notice(Model):
    kind = TextField(
        constraints=[Check("kind IN ('password_changed', 'email_changed', 'account_linked', 'api_key_created')")]
    )
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)
    address = TextField()
    doer = TextField(constraints=[Check("doer IN ('user', 'administrator', 'provider')")])
    came_from = TextField()
    user_agent = TextField()
    detail = TextField()
    created_at = BigIntegerField(index=True)
    not_before = BigIntegerField()
    attempts = IntegerField()
    state = TextField(constraints=[Check("state IN ('pending', 'sent', 'failed')")])

    class Meta:
        table_name = "notice"


Notice.add_index(Notice.not_before, name="notice_due", where=Notice.state == "pending")


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx([User, Notice]):
        db.create_tables([Notice])


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx([User, Notice]):
        db.drop_tables([Notice])
