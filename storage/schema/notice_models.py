"""The schema of mails about changes of an account. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, ForeignKeyField, IntegerField, TextField

from actors.resources.notices import DOERS, NOTICE_KINDS, NOTICE_STATES
from storage.schema.models import Base, User, one_of


class Notice(Base):
    kind = TextField(constraints=[one_of("kind", NOTICE_KINDS)])
    user = ForeignKeyField(User, on_delete="CASCADE", index=True)  # they go with their user; how many they got
    address = TextField()  # that the user had before the change
    doer = TextField(constraints=[one_of("doer", DOERS)])
    came_from = TextField()
    user_agent = TextField()
    detail = TextField()
    created_at = BigIntegerField(index=True)  # what is a day old goes
    not_before = BigIntegerField()
    attempts = IntegerField(default=0)
    state = TextField(default="pending", constraints=[one_of("state", NOTICE_STATES)])

    class Meta:
        table_name = "notice"


Notice.add_index(Notice.not_before, name="notice_due", where=Notice.state == "pending")

MODELS: tuple[type[Base], ...] = (Notice,)
"""Every table of this module."""
