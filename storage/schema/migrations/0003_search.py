"""The search index, empty: the server fills it when it is idle, from the first message on."""

from typing import Any

from peewee import BigIntegerField, Database, Model, TextField


class SearchProgress(Model):
    version = TextField()
    indexed = BigIntegerField()

    class Meta:
        table_name = "search_progress"


def up(migrator: Any, db: Database) -> None:
    db.execute_sql(
        """CREATE VIRTUAL TABLE "search" USING fts5 (text, tags, content='', columnsize=0,
        tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Mn Mc'")"""
    )
    db.execute_sql('INSERT INTO "search" ("search", "rank") VALUES (\'automerge\', 0)')  # the server does it, when idle
    with db.bind_ctx([SearchProgress]):
        db.create_tables([SearchProgress])
        SearchProgress.insert(version="", indexed=0).execute()


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx([SearchProgress]):
        db.drop_tables([SearchProgress])
    db.execute_sql('DROP TABLE "search"')
