"""The schema of notes."""

from peewee import BigIntegerField, ForeignKeyField, IntegerField, TextField

from storage.schema.models import Base, Thread, User


class Note(Base):
    uid = TextField(unique=True)  # notes by public id
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=True)  # the notes of a thread
    author = ForeignKeyField(User, index=False)
    position = BigIntegerField(unique=True)  # notes that a search has found
    text = TextField()
    version = IntegerField(default=1)
    created_at = BigIntegerField()

    class Meta:
        table_name = "note"


MODELS = (Note,)
