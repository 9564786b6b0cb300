"""The schema of texts that grow in artifacts. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, CompositeKey, ForeignKeyField, IntegerField, TextField

from actors.resources.artifact_streams import STREAM_STATUSES
from storage.schema.artifact_models import Artifact
from storage.schema.models import Base, User, one_of


class ArtifactStream(Base):
    uid = TextField(unique=True)  # streams by public id
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    author = ForeignKeyField(User, index=True)  # what a user has written: for its erasure
    pointer = TextField()
    base = IntegerField()  # number of a version, which may be dropped meanwhile
    message = TextField(null=True)  # public id
    tool_call = TextField(null=True)
    model = TextField(null=True)
    status = TextField(constraints=[one_of("status", STREAM_STATUSES)])
    length = IntegerField(default=0)  # characters of its pieces
    size = IntegerField(default=0)  # their bytes
    version = IntegerField(null=True)  # that has the text; its pieces are gone then
    created_at = BigIntegerField()
    touched_at = BigIntegerField()
    ended_at = BigIntegerField(null=True)

    class Meta:
        table_name = "artifact_stream"
        indexes = ((("artifact", "id"), False),)  # streams of an artifact, newest first


ArtifactStream.add_index(  # those that are open, by when something was appended
    ArtifactStream.touched_at, name="artifact_stream_open", where=ArtifactStream.status == "STREAMING"
)


class ArtifactPiece(Base):
    stream = ForeignKeyField(ArtifactStream, on_delete="CASCADE", index=False)
    start = IntegerField()  # in characters
    text = TextField()

    class Meta:
        table_name = "artifact_piece"
        primary_key = CompositeKey("stream", "start")
        without_rowid = True


MODELS: tuple[type[Base], ...] = (ArtifactStream, ArtifactPiece)
