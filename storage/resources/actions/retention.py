"""What goes of actions, and what must hold of those that are kept."""

from typing import Any

from actors import limits
from actors.resources.actions import ListActionsBy
from storage.journal.transaction import Transaction
from storage.maintenance.rule import Rule
from storage.personal import Personal
from storage.readers import rows
from storage.schema.action_models import Action


def purge_ended(tx: Transaction, count: int) -> int:
    """An approval stays with what it stands in: it counts once."""
    before = tx.now - limits.ACTIONS_KEPT_SECONDS * 1000
    ended = (Action.created_at < before) & (Action.status != "pending") & ~Action.is_counted_once
    keys = [row[0] for row in rows.fetch(tx.database, Action.select(Action.id).where(ended).limit(count))]
    tx.execute(Action.delete().where(Action.id.in_(keys)))
    return len(keys)


def forget_user(tx: Transaction, user_key: int) -> None:
    """What they did goes. Of an approval stays that it was given: another answer would count, too."""
    counts = Action.is_counted_once & (Action.status == "done")
    tx.execute(Action.delete().where((Action.user == user_key) & ~counts))
    blank: dict[str, Any] = {"value": "null", "state": "{}", "text": "", "errors": "{}", "correlation_id": ""}
    tx.execute(Action.update(**blank).where(Action.user == user_key))


PURGES = (purge_ended,)
PERSONAL = (
    Personal(Action.user, export=ListActionsBy, kept="it goes, but for approvals, which keep nothing of the person"),
    Personal(Action.author, kept="it is another user's", withheld="it is another user's"),
)
RULES = (
    Rule(
        "actions on what is there",
        "Message or artifact {subject} is deleted, but there is an action {action} on it.",
        """
        SELECT coalesce(m.uid, r.uid) AS subject, a.uid AS action
          FROM action AS a LEFT JOIN message AS m ON m.id = a.message_id LEFT JOIN artifact AS r ON r.id = a.artifact_id
         WHERE coalesce(m.deleted_at, r.deleted_at) IS NOT NULL""",
    ),
    Rule(
        "deadlines of forms that are there",
        "Message or artifact {subject} is deleted, but its form {block} has a deadline.",
        """
        SELECT coalesce(m.uid, r.uid) AS subject, d.block_id AS block
          FROM form_deadline AS d LEFT JOIN message AS m ON m.id = d.message_id
          LEFT JOIN artifact AS r ON r.id = d.artifact_id
         WHERE coalesce(m.deleted_at, r.deleted_at) IS NOT NULL""",
    ),
    Rule(
        "actions are on what is another's, and answered by its author",
        "Action {action} is of {user}, its message or artifact is of {author}.",
        """
        WITH s AS (
          SELECT a.uid, a.user_id, a.author_id, coalesce(m.author_id, r.creator_id) AS author
            FROM action AS a LEFT JOIN message AS m ON m.id = a.message_id
            LEFT JOIN artifact AS r ON r.id = a.artifact_id)
        SELECT uid AS action, user_id AS user, author FROM s WHERE author_id <> author OR user_id = author""",
    ),
    Rule(
        "what has ended has an end",
        "Action {action} is {status}, and ended at {ended}.",
        """
        SELECT uid AS action, status, coalesce(answered_at, 'no time') AS ended FROM action
         WHERE (status = 'pending') <> (answered_at IS NULL)""",
    ),
)
