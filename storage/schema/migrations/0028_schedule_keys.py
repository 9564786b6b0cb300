"""Which API key has made a schedule: it ends with the key."""

from typing import Any

from peewee import Database


def up(migrator: Any, db: Database) -> None:
    db.execute_sql('ALTER TABLE "schedule" ADD COLUMN "api_key" TEXT')


def down(migrator: Any, db: Database) -> None:
    """Schedules go on without the key, as before."""
    db.execute_sql('ALTER TABLE "schedule" DROP COLUMN "api_key"')
