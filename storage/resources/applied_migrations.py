"""Which migrations are applied."""

from peewee import SqliteDatabase

from actors.resources.applied_migrations import ListMigrations
from storage.readers.answers import answers


@answers(ListMigrations)
def applied(database: SqliteDatabase) -> tuple[str, ...]:
    found = database.execute_sql('SELECT "name" FROM "schema_migration" ORDER BY "name"').fetchall()
    return tuple(name for (name,) in found)
