"""By what an `@name` finds a user: an index of names, made from those that users have."""

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
        db.create_tables((UserHandle,))
        for key, name, email in User.select(User.id, User.name, User.email).tuples().iterator():
            borne = [(handle, key) for handle in {*handles(name, email)} - {""}]
            if borne:
                UserHandle.insert_many(borne, (UserHandle.handle, UserHandle.user)).execute()


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, UserHandle)):
        db.drop_tables((UserHandle,))
