"""The schema of mails with a link that signs in. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, ForeignKeyField, IntegerField, TextField

from actors.resources.letters import LETTER_KINDS, LETTER_STATES
from storage.schema.models import Base, Thread, User, one_of


class Letter(Base):
    kind = TextField(constraints=[one_of("kind", LETTER_KINDS)])
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)  # they go with their user; how many they got
    address = TextField()  # that the user had: another one may be another person's
    inviter = ForeignKeyField(User, on_delete="CASCADE", null=True, index=True)  # they go with who invites
    thread = ForeignKeyField(Thread, on_delete="CASCADE", null=True, index=True)  # they go with their thread
    return_to = TextField()
    created_at = BigIntegerField(index=True)  # what is a day old goes
    not_before = BigIntegerField()
    attempts = IntegerField(default=0)
    state = TextField(default="pending", constraints=[one_of("state", LETTER_STATES)])

    class Meta:
        table_name = "letter"


Letter.add_index(Letter.not_before, name="letter_due", where=Letter.state == "pending")

MODELS: tuple[type[Base], ...] = (Letter,)
"""Every table of this module."""
