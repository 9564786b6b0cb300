"""The schema of addresses that notifications may be sent to. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, ForeignKeyField, TextField

from storage.schema.models import Base, User


class MailAddress(Base):
    """What is known of the address of a user: as long as it is this one."""

    user = ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    address = TextField()
    asked_at = BigIntegerField()
    verified_at = BigIntegerField(null=True)

    class Meta:
        table_name = "mail_address"


MODELS: tuple[type[Base], ...] = (MailAddress,)
"""Every table of this module."""
