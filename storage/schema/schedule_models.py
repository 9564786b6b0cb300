"""The schema of scheduled messages and reminders. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, ForeignKeyField, IntegerField, TextField

from actors.resources.schedules import SCHEDULE_KINDS, SCHEDULE_STATUSES
from storage.schema.models import Base, Thread, User, one_of


class Schedule(Base):
    """What a user wants to be sent later. It goes with its user, and with its thread."""

    uid = TextField(unique=True)  # schedules by public id
    kind = TextField(constraints=[one_of("kind", SCHEDULE_KINDS)])
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=True, null=True)  # they go with their thread
    message_id = TextField(null=True)  # public id: of the message to be written, or the subject of a reminder
    content = TextField()
    blocks = TextField(null=True)
    metadata = TextField(default="{}")
    due_at = BigIntegerField()
    local_time = TextField()
    time_zone = TextField()
    status = TextField(default="pending", constraints=[one_of("status", SCHEDULE_STATUSES)])
    reason = TextField(default="")
    version = IntegerField(default=1)
    created_at = BigIntegerField()
    ended_at = BigIntegerField(null=True, index=True)  # what is a month old goes
    api_key = TextField(null=True)  # uid of the key that made it: it ends with it

    class Meta:
        table_name = "schedule"
        indexes = (
            (("user", "id"), False),  # one's own, the newest first
        )


Schedule.add_index(  # what is due
    Schedule.due_at, name="schedule_due", where=Schedule.ended_at.is_null()
)

MODELS: tuple[type[Base], ...] = (Schedule,)
"""Every table of this module."""
