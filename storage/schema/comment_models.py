"""The schema of comments on artifacts. See `storage/schema/models.py` for the rest."""

from peewee import BigIntegerField, ForeignKeyField, IntegerField, TextField

from storage.schema.artifact_models import Artifact, ArtifactBody
from storage.schema.models import Base, User


class Comment(Base):
    uid = TextField(unique=True)  # comments by public id
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    parent = ForeignKeyField("self", null=True, on_delete="CASCADE", index=False)  # that it replies to
    author = ForeignKeyField(User, index=False)
    content = TextField()  # empty: a tombstone
    base = IntegerField()  # number of a version, which may be dropped meanwhile
    base_body = ForeignKeyField(ArtifactBody, null=True, index=True)  # what refers to a body; null: no anchor
    anchor = TextField(null=True)  # JSON: [pointer, start, end, quote, before, after]
    version = IntegerField(default=1)
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    edited_at = BigIntegerField(null=True)
    resolver = ForeignKeyField(User, null=True, index=False)
    resolved_at = BigIntegerField(null=True)
    deleted_at = BigIntegerField(null=True)

    class Meta:
        table_name = "artifact_comment"
        indexes = (
            (("artifact", "id"), False),  # comments on an artifact, newest first
            (("parent", "id"), False),  # the replies to one
            (("author", "id"), False),  # what a user has written: for its erasure and export
        )


MODELS: tuple[type[Base], ...] = (Comment,)
