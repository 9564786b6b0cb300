"""What is not unread after a marker: own messages, and deleted ones. And what answers a message."""

from typing import Any

from peewee import Database


def up(migrator: Any, db: Database) -> None:
    db.execute_sql('ALTER TABLE "member" ADD COLUMN "own_after" INTEGER NOT NULL DEFAULT 0')
    db.execute_sql(
        'CREATE INDEX "message_deleted" ON "message" ("thread_id", "number", "author_id", "deleted_at") '
        'WHERE ("deleted_at" IS NOT NULL)'
    )
    db.execute_sql('CREATE INDEX "message_answers" ON "message" ("parent") WHERE ("parent" IS NOT NULL)')


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('DROP INDEX "message_answers"')
    db.execute_sql('DROP INDEX "message_deleted"')
    db.execute_sql('ALTER TABLE "member" DROP COLUMN "own_after"')
