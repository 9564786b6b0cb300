"""The schema of documents that several people edit at once. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, BlobField, CompositeKey, ForeignKeyField, IntegerField, TextField

from storage.schema.artifact_models import Artifact
from storage.schema.models import Base


class Document(Base):
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", unique=True)  # the document of an artifact
    state = BlobField()
    newest = IntegerField(default=0)  # number of its newest edit, also of one that is folded
    version = IntegerField()  # of the artifact, that it was last the same as
    faults = TextField(default="[]")  # JSON
    updated_at = BigIntegerField()

    class Meta:
        table_name = "artifact_document"


class Edit(Base):
    """Not folded yet."""

    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    number = IntegerField()
    data = BlobField()

    class Meta:
        table_name = "artifact_edit"
        primary_key = CompositeKey("artifact", "number")
        without_rowid = True


MODELS: tuple[type[Base], ...] = (Document, Edit)
