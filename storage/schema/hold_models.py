"""The schema of legal holds. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, Check, ForeignKeyField, TextField

from storage.schema.models import Base, Thread, User


class LegalHold(Base):
    """On a thread or on a user. Neither row goes while it is there: see `storage/resources/holds/protection.py`."""

    uid = TextField(unique=True)  # holds by public id
    thread = ForeignKeyField(Thread, null=True, index=True)  # whether a thread is held
    user = ForeignKeyField(User, null=True, index=True)  # whether a user is held
    reason = TextField()
    creator = ForeignKeyField(User, index=False)
    created_at = BigIntegerField()

    class Meta:
        table_name = "legal_hold"
        constraints = (Check("(thread_id IS NULL) <> (user_id IS NULL)"),)


MODELS: tuple[type[Base], ...] = (LegalHold,)
"""Every table of this module."""
