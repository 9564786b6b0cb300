"""A search finds files in threads: at which log entry each has joined its thread, and its text as it was.

Files that are there already are indexed with everything else, once, while the server is idle.
"""

from typing import Any

from peewee import AutoField, BigIntegerField, Database, IntegerField, Model, TextField, fn


class File(Model):
    id = AutoField()
    thread = IntegerField(null=True, column_name="thread_id")
    position = BigIntegerField(null=True)

    class Meta:
        table_name = "file"


class Event(Model):
    position = BigIntegerField(primary_key=True)
    thread = IntegerField(column_name="thread_id")
    type = TextField()
    ref = IntegerField(null=True)

    class Meta:
        table_name = "event"


class SearchProgress(Model):
    version = TextField()

    class Meta:
        table_name = "search_progress"


def up(migrator: Any, db: Database) -> None:
    db.execute_sql('ALTER TABLE "file" ADD COLUMN "position" INTEGER')
    with db.bind_ctx((File, Event, SearchProgress)):
        joined = Event.select(fn.MAX(Event.position)).where(
            (Event.thread == File.thread) & (Event.ref == File.id)
            & Event.type.in_(("file.created", "file.attached"))
        )  # fmt: skip
        File.update(position=joined).where(File.thread.is_null(False)).execute()
        db.execute_sql(
            """CREATE VIRTUAL TABLE "file_text_new" USING fts5 (name, text, original UNINDEXED,
            tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Mn Mc'")"""
        )
        db.execute_sql(
            'INSERT INTO "file_text_new" (rowid, "name", "text", "original")'
            ' SELECT rowid, "name", "text", "text" FROM "file_text"'
        )
        if File.select().where(File.position.is_null(False)).exists():
            SearchProgress.update(version="").execute()  # made anew at the next start
    db.execute_sql('DROP TABLE "file_text"')
    db.execute_sql('ALTER TABLE "file_text_new" RENAME TO "file_text"')
    db.execute_sql('CREATE UNIQUE INDEX "file_position" ON "file" ("position") WHERE ("position" IS NOT NULL)')


def down(migrator: Any, db: Database) -> None:
    db.execute_sql(
        """CREATE VIRTUAL TABLE "file_text_new" USING fts5 (name, text,
        tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Mn Mc'")"""
    )
    db.execute_sql('INSERT INTO "file_text_new" (rowid, "name", "text") SELECT rowid, "name", "text" FROM "file_text"')
    db.execute_sql('DROP TABLE "file_text"')
    db.execute_sql('ALTER TABLE "file_text_new" RENAME TO "file_text"')
    db.execute_sql('DROP INDEX "file_position"')
    db.execute_sql('ALTER TABLE "file" DROP COLUMN "position"')
    with db.bind_ctx((SearchProgress,)):
        SearchProgress.update(version="").execute()
