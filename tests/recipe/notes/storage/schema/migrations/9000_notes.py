"""Notes."""

from typing import Any

from peewee import Database
from storage.schema.note_models import MODELS


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx(MODELS):
        db.create_tables(MODELS)


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx(MODELS):
        db.drop_tables(MODELS)
