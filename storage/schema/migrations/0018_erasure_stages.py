"""The erasure of a user goes through stages: what they wrote, their files, the words of these in the index."""

from typing import Any

from peewee import Database

_STAGES = "stage IN ('messages', 'files', 'private_files', 'texts')"


def up(migrator: Any, db: Database) -> None:
    db.execute_sql(f'ALTER TABLE "erasure" ADD COLUMN "stage" TEXT NOT NULL DEFAULT \'messages\' CHECK ({_STAGES})')


def down(migrator: Any, db: Database) -> None:
    """What was asked for less than all messages is forgotten, rather than made more."""
    db.execute_sql('DELETE FROM "erasure" WHERE "stage" <> \'messages\'')
    db.execute_sql('ALTER TABLE "erasure" DROP COLUMN "stage"')
