"""When each user did something last, as far as servers have saved it."""

from typing import Any

from peewee import EXCLUDED, fn

from actors.outcomes import Done
from actors.users.activity import SaveActivity
from storage.compiled import ManyRows, insert_many
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.personal import Personal
from storage.schema.notification_models import UserActivity


def _save(count: int) -> Any:
    rows = insert_many(UserActivity, [UserActivity.user, UserActivity.active_at], count)
    # Two servers may tell of the same user in any order.
    latest = fn.MAX(UserActivity.active_at, EXCLUDED.active_at)
    return rows.on_conflict(conflict_target=[UserActivity.user], update={UserActivity.active_at: latest}).as_rowcount()


SAVE = ManyRows(_save)


@writes(SaveActivity)
def save_activity(tx: Transaction, command: SaveActivity) -> Done[None]:
    SAVE.run(tx.database, list(command.last.items()))
    return Done(None)


PERSONAL = (Personal(UserActivity.user, withheld="the account says when its user was last active"),)
