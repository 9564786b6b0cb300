"""By what an `@name` finds a user, as names are compared now: i without its dot is the same letter."""

from typing import Any

from peewee import AutoField, CompositeKey, Database, ForeignKeyField, Model, TextField

from actors.text.names import handles


class User(Model):
    """What is referred to here of tables that are there already."""

    id = AutoField()
    name = TextField()
    email = TextField()

    class Meta:
        table_name = "user"


class UserHandle(Model):
    handle = TextField()
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)

    class Meta:
        table_name = "user_handle"
        primary_key = CompositeKey("handle", "user")
        without_rowid = True


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, UserHandle)):
        found: Any = User.select(User.id, User.name, User.email).where(User.id.in_(UserHandle.select(UserHandle.user)))
        for key, name, email in list(found.tuples()):
            handles_now = {*handles(name, email)} - {""}
            UserHandle.delete().where((UserHandle.user == key) & UserHandle.handle.not_in(handles_now)).execute()
            if handles_now:
                borne = [(handle, key) for handle in sorted(handles_now)]
                UserHandle.insert_many(borne, (UserHandle.handle, UserHandle.user)).on_conflict_ignore().execute()


def down(migrator: Any, db: Database) -> None:
    """Nothing: one that is not as it was is found once the user is called something else."""
