"""The schema of actions on the blocks of messages and artifacts. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, BooleanField, Check, ForeignKeyField, IntegerField, TextField

from actors.resources.actions import ACTION_STATUSES
from storage.schema.artifact_models import Artifact
from storage.schema.models import Base, Message, User, one_of


class Action(Base):
    """What a user did with a block, and what came of it. It goes with its message or artifact, and with its user,
    unless it counts."""

    uid = TextField(unique=True)  # actions by public id
    message = ForeignKeyField(Message, on_delete="CASCADE", null=True, index=False)
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", null=True, index=False)  # one of the two
    subject_version = IntegerField()
    author = ForeignKeyField(User, index=False)  # who answers
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    block_id = TextField()
    action_id = TextField()
    kind = TextField()
    value = TextField()  # JSON
    state = TextField()  # JSON
    is_counted_once = BooleanField(default=False)
    status = TextField(default="pending", constraints=[one_of("status", ACTION_STATUSES)])
    text = TextField(default="")
    errors = TextField(default="{}")  # JSON
    correlation_id = TextField(default="")
    version = IntegerField(default=1)
    created_at = BigIntegerField(index=True)  # what is a season old goes
    expires_at = BigIntegerField()
    answered_at = BigIntegerField(null=True)

    class Meta:
        table_name = "action"
        constraints = (Check("(message_id IS NULL) <> (artifact_id IS NULL)"),)
        indexes = (
            (("message", "id"), False),  # actions on a message, the newest first; they go with it
            (("artifact", "id"), False),  # the same of an artifact
            (("user", "id"), False),  # one's own, the newest first
            (("author", "id"), False),  # those that one answers, the newest first
        )


Action.add_index(  # what waits for an author
    Action.author, Action.id, name="action_waiting", where=Action.status == "pending"
)
Action.add_index(  # what expires
    Action.expires_at, name="action_expiring", where=Action.status == "pending"
)
Action.add_index(  # an approval has one answer
    Action.message,
    Action.block_id,
    name="action_once",
    unique=True,
    where=(Action.is_counted_once == 1) & Action.status.in_(["pending", "done"]),
)
Action.add_index(
    Action.artifact,
    Action.block_id,
    name="action_once_in_artifact",
    unique=True,
    where=(Action.is_counted_once == 1) & Action.status.in_(["pending", "done"]),
)


class FormDeadline(Base):
    """A form that takes no answer after an instant. It goes with its message or artifact, and once that has come."""

    message = ForeignKeyField(Message, on_delete="CASCADE", null=True, index=False)
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", null=True, index=False)  # one of the two
    block_id = TextField()
    expires_at = BigIntegerField(index=True)  # what has expired

    class Meta:
        table_name = "form_deadline"
        constraints = (Check("(message_id IS NULL) <> (artifact_id IS NULL)"),)
        indexes = (
            (("message", "block_id"), True),  # those of a message; they go with it
            (("artifact", "block_id"), True),  # the same of an artifact
        )


MODELS: tuple[type[Base], ...] = (Action, FormDeadline)
"""Every table of this module."""
