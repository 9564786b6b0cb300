"""Memory has a version of its own, and the log takes entries of any type.

SQLite cannot drop a CHECK, so the log is copied into a table without one: 2,000,000 entries take 4 seconds, all in the
migration's transaction. (Rewriting the stored schema with `PRAGMA writable_schema` would take none, but builds of
SQLite with the defensive flag refuse it, and a slip there damages the file.) The code that writes them holds the types.
"""

from typing import Any

from peewee import BigIntegerField, Check, Database, ForeignKeyField, IntegerField, Model, TextField
from playhouse.migrate import migrate

EVENT_TYPES = (
    "thread.created", "thread.updated", "thread.deleted", "member.added", "member.updated", "member.removed",
    "message.created", "message.updated", "message.deleted", "reaction.added", "reaction.removed", "read.updated",
)  # fmt: skip


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Thread(Model):
    class Meta:
        table_name = "thread"


def event(table: str, *type_constraints: Any) -> type[Model]:
    class Event(Model):
        position = BigIntegerField(primary_key=True)
        thread = ForeignKeyField(Thread, on_delete="CASCADE", index=False)
        offset = IntegerField()
        type = TextField(constraints=list(type_constraints))
        actor = ForeignKeyField(User, index=False)
        time = BigIntegerField()
        ref = BigIntegerField(null=True)
        data = TextField(null=True)

        class Meta:
            table_name = table
            indexes = ((("thread", "offset"), True),)

    return Event


def up(migrator: Any, db: Database) -> None:
    db.execute_sql('ALTER TABLE "thread" ADD COLUMN "memory_version" INTEGER NOT NULL DEFAULT 1')
    rebuild(migrator, db, event("event_new"))


def down(migrator: Any, db: Database) -> None:
    """Refused where the log has an entry of a newer type."""
    types = ", ".join(repr(name) for name in EVENT_TYPES)
    rebuild(migrator, db, event("event_new", Check(f"type IN ({types})")))
    db.execute_sql('ALTER TABLE "thread" DROP COLUMN "memory_version"')


def rebuild(migrator: Any, db: Database, new: Any) -> None:
    """Copy the log, in its order; the index comes last, because sorting once is quicker than inserting in disorder."""
    old: Any = event("event")
    with db.bind_ctx([old, new, Thread, User]):
        new._schema.create_table(safe=False)
        fields = new._meta.sorted_fields
        new.insert_from(old.select(*old._meta.sorted_fields).order_by(old.position), fields).execute()
        db.drop_tables([old], safe=False)
        migrate(migrator.rename_table("event_new", "event"))
        old._schema.create_indexes(safe=False)
