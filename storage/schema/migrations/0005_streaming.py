"""Messages that are being written, and who answers in a thread."""

from typing import Any

from peewee import Database


def up(migrator: Any, db: Database) -> None:
    db.execute_sql('ALTER TABLE "message" ADD COLUMN "streamed_at" INTEGER')
    db.execute_sql('CREATE INDEX "message_streaming" ON "message" ("thread_id") WHERE ("status" = \'STREAMING\')')

    for column, default, values in (
        ("control", "shared", ("bot", "human", "shared")),
        ("while_streaming", "parallel", ("queue", "interrupt", "parallel", "reject")),
    ):
        listed = ", ".join(repr(value) for value in values)
        held = f"NOT NULL DEFAULT '{default}' CHECK ({column} IN ({listed}))"
        db.execute_sql(f'ALTER TABLE "thread" ADD COLUMN "{column}" TEXT {held}')


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('ALTER TABLE "thread" DROP COLUMN "while_streaming"')
    db.execute_sql('ALTER TABLE "thread" DROP COLUMN "control"')
    db.execute_sql('DROP INDEX "message_streaming"')
    db.execute_sql('ALTER TABLE "message" DROP COLUMN "streamed_at"')
