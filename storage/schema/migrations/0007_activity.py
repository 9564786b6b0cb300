"""When each user did something last."""

from typing import Any

from peewee import BigIntegerField, Database, ForeignKeyField, Model


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class UserActivity(Model):
    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    active_at = BigIntegerField()

    class Meta:
        table_name = "user_activity"


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, UserActivity)):
        db.create_tables((UserActivity,))


def down(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, UserActivity)):
        db.drop_tables((UserActivity,))
