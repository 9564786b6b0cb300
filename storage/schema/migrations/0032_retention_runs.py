"""The log of the runs of retention rules."""

from typing import Any

from peewee import BigIntegerField, Database, IntegerField, Model, TextField


class RetentionRun(Model):
    rule = TextField()
    started_at = BigIntegerField(index=True)
    items = IntegerField()
    rows = IntegerField()
    size = BigIntegerField()

    class Meta:
        table_name = "retention_run"


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx([RetentionRun]):
        db.create_tables([RetentionRun])


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx([RetentionRun]):
        db.drop_tables([RetentionRun])
