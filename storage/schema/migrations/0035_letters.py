"""Mails with a link that signs in."""

from typing import Any

from peewee import BigIntegerField, Check, Database, ForeignKeyField, IntegerField, Model, TextField


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Thread(Model):
    class Meta:
        table_name = "thread"


class Letter(Model):
    kind = TextField(constraints=[Check("kind IN ('sign_in', 'invitation')")])
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)
    address = TextField()
    inviter = ForeignKeyField(User, on_delete="CASCADE", null=True, index=True)
    thread = ForeignKeyField(Thread, on_delete="CASCADE", null=True, index=True)
    return_to = TextField()
    created_at = BigIntegerField(index=True)
    not_before = BigIntegerField()
    attempts = IntegerField()
    state = TextField(constraints=[Check("state IN ('pending', 'sent', 'failed')")])

    class Meta:
        table_name = "letter"


Letter.add_index(Letter.not_before, name="letter_due", where=Letter.state == "pending")


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx([User, Thread, Letter]):
        db.create_tables([Letter])


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx([User, Thread, Letter]):
        db.drop_tables([Letter])
