"""The schema of actions on the blocks of messages. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, BooleanField, ForeignKeyField, IntegerField, TextField

from actors.resources.actions import ACTION_STATUSES
from storage.schema.models import Base, Message, User, one_of


class Action(Base):
    """What a user did with a block, and what came of it. It goes with its message, and with its user."""

    uid = TextField(unique=True)  # actions by public id
    message = ForeignKeyField(Message, on_delete="CASCADE", index=False)
    message_version = IntegerField()
    author = ForeignKeyField(User, index=False)  # of the message: who answers
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
        indexes = (
            (("message", "id"), False),  # actions on a message, the newest first; they go with it
            (("user", "id"), False),  # one's own, the newest first
            (("author", "id"), False),  # those on one's messages, the newest first
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

MODELS: tuple[type[Base], ...] = (Action,)
"""Every table of this module."""
