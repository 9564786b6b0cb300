"""Messages that ask to be acknowledged, and a kind of notification for them."""

from typing import Any

from peewee import (
    BigIntegerField,
    BooleanField,
    CompositeKey,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Message(Model):
    class Meta:
        table_name = "message"


class AcknowledgementRequest(Model):
    message = ForeignKeyField(Message, on_delete="CASCADE", primary_key=True)
    author = ForeignKeyField(User, index=False)
    urgent = BooleanField()
    named = TextField(null=True)
    repeats = IntegerField()
    repeat_at = BigIntegerField(null=True)

    class Meta:
        table_name = "acknowledgement_request"


AcknowledgementRequest.add_index(
    AcknowledgementRequest.repeat_at,
    name="acknowledgement_repeat",
    where=AcknowledgementRequest.repeat_at.is_null(False),
)


class Acknowledgement(Model):
    message = ForeignKeyField(AcknowledgementRequest, on_delete="CASCADE", index=False)
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    acknowledged_at = BigIntegerField(null=True)

    class Meta:
        table_name = "acknowledgement"
        primary_key = CompositeKey("message", "user")
        without_rowid = True


Acknowledgement.add_index(
    Acknowledgement.user,
    Acknowledgement.message,
    name="acknowledgement_waiting",
    where=Acknowledgement.acknowledged_at.is_null(),
)

_TABLES = (User, Message, AcknowledgementRequest, Acknowledgement)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx(_TABLES):
        db.create_tables([AcknowledgementRequest, Acknowledgement])
    _allow_kinds(db, "'acknowledgement', 'mention', 'reply', 'reaction', 'added'")


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('DELETE FROM "event" WHERE "type" = \'message.acknowledged\'')
    db.execute_sql('DELETE FROM "notification" WHERE "kind" = \'acknowledgement\'')
    _allow_kinds(db, "'mention', 'reply', 'reaction', 'added'")
    with db.bind_ctx(_TABLES):
        db.drop_tables([Acknowledgement, AcknowledgementRequest])


def _allow_kinds(db: Database, kinds: str) -> None:
    """A CHECK cannot be changed. The column is replaced, and not the table: deliveries that refer to its rows would go
    with it."""
    db.execute_sql(
        f"ALTER TABLE \"notification\" ADD COLUMN new_kind TEXT NOT NULL DEFAULT 'added' CHECK (new_kind IN ({kinds}))"
    )
    db.execute_sql('UPDATE "notification" SET new_kind = "kind"')
    db.execute_sql('ALTER TABLE "notification" DROP COLUMN "kind"')
    db.execute_sql('ALTER TABLE "notification" RENAME COLUMN new_kind TO kind')
