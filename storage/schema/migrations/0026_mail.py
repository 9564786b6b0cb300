"""Addresses that were confirmed; notifications may leave by e-mail."""

from typing import Any

from peewee import BigIntegerField, Check, Database, ForeignKeyField, IntegerField, Model, TextField

_COLUMNS = "id, user_id, kind, notification_id, not_before, attempts, state, created_at, reached, error"


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Notification(Model):
    class Meta:
        table_name = "notification"


class MailAddress(Model):
    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    address = TextField()
    asked_at = BigIntegerField()
    verified_at = BigIntegerField(null=True)

    class Meta:
        table_name = "mail_address"


class _Outbox(Model):
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)
    notification = ForeignKeyField(Notification, on_delete="CASCADE", index=True)
    not_before = BigIntegerField()
    attempts = IntegerField()
    state = TextField(constraints=[Check("state IN ('pending', 'sent', 'failed')")])
    created_at = BigIntegerField(index=True)
    reached = TextField()
    error = TextField(null=True)


def _outbox(*kinds: str) -> Any:
    """The table again, because SQLite changes no check."""

    class Outbox(_Outbox):
        kind = TextField(constraints=[Check(f"kind IN ({', '.join(map(repr, kinds))})")])

        class Meta:
            table_name = "outbox"

    Outbox.add_index(Outbox.not_before, name="outbox_due", where=Outbox.state == "pending")
    return Outbox


def _remade(db: Database, model: Any) -> None:
    db.execute_sql('CREATE TEMP TABLE "kept" AS SELECT * FROM "outbox"')
    db.execute_sql('DROP TABLE "outbox"')
    with db.bind_ctx((User, Notification, model)):
        db.create_tables([model])
    db.execute_sql(f'INSERT INTO "outbox" ({_COLUMNS}) SELECT {_COLUMNS} FROM "kept"')  # noqa: S608 - names of columns
    db.execute_sql('DROP TABLE "kept"')


def up(migrator: Any, db: Database) -> None:
    _remade(db, _outbox("web_push", "webhook", "email"))
    with db.bind_ctx((User, MailAddress)):
        db.create_tables([MailAddress])


def down(migrator: Any, db: Database) -> None:
    """Nobody gets e-mail, and nobody has confirmed an address."""
    db.execute_sql('DELETE FROM "outbox" WHERE "kind" = \'email\'')
    db.execute_sql(
        'UPDATE "preference" SET "deliver" = (SELECT coalesce(json_group_array(value), \'[]\') '
        "FROM json_each(\"deliver\") WHERE value <> 'email') WHERE \"deliver\" LIKE '%email%'"
    )
    _remade(db, _outbox("web_push", "webhook"))
    with db.bind_ctx((User, MailAddress)):
        db.drop_tables([MailAddress])
