"""The schema of acknowledgements. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, BooleanField, CompositeKey, ForeignKeyField, IntegerField, TextField

from storage.schema.models import Base, Message, User


class AcknowledgementRequest(Base):
    """That a message asks to be acknowledged. It goes when its message is deleted."""

    message = ForeignKeyField(Message, on_delete="CASCADE", primary_key=True)
    author = ForeignKeyField(User, index=False)
    urgent = BooleanField()
    named = TextField(null=True)  # JSON: ids of the users who are named; null: all people in the thread
    repeats = IntegerField(default=0)  # how often the pending recipients were notified again
    repeat_at = BigIntegerField(null=True)  # when they are next; null: never

    class Meta:
        table_name = "acknowledgement_request"


AcknowledgementRequest.add_index(  # what is repeated next
    AcknowledgementRequest.repeat_at,
    name="acknowledgement_repeat",
    where=AcknowledgementRequest.repeat_at.is_null(False),
)


class Acknowledgement(Base):
    """A user who is asked, and when they acknowledged."""

    message = ForeignKeyField(AcknowledgementRequest, on_delete="CASCADE", index=False)
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    acknowledged_at = BigIntegerField(null=True)

    class Meta:
        table_name = "acknowledgement"
        primary_key = CompositeKey("message", "user")
        without_rowid = True


Acknowledgement.add_index(  # what waits for a user, the newest first
    Acknowledgement.user,
    Acknowledgement.message,
    name="acknowledgement_waiting",
    where=Acknowledgement.acknowledged_at.is_null(),
)

MODELS: tuple[type[Base], ...] = (AcknowledgementRequest, Acknowledgement)
"""Every table of this module, parents first."""
