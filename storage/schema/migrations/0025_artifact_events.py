"""The log of an artifact: the few events about it, among all those of its thread."""

from typing import Any

from peewee import Database


def up(migrator: Any, db: Database) -> None:
    db.execute_sql(
        'CREATE INDEX "event_artifact" ON "event" ("ref", "offset") '
        "WHERE (SUBSTR(\"type\", 1, 8) IN ('artifact', 'proposal', 'comment.'))"
    )


def down(migrator: Any, db: Database) -> None:
    db.execute_sql('DROP INDEX "event_artifact"')
