"""The schema of artifacts: records, versions, and the bodies that versions share.
See `storage/schema/models.py` for the rest."""

from typing import Any

from peewee import BigIntegerField, BlobField, CompositeKey, ForeignKeyField, IntegerField, TextField
from playhouse.sqlite_ext import FTS5Model, SearchField

from actors.resources.artifacts.artifact import ARTIFACT_TYPES, CHANGES
from actors.text.folding import TOKENIZER
from storage.schema.models import Base, Thread, User, database_proxy, one_of


class Artifact(Base):
    uid = TextField(unique=True)  # artifacts by public id
    thread = ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    creator = ForeignKeyField(User, index=False)
    type = TextField(constraints=[one_of("type", ARTIFACT_TYPES)])
    version = IntegerField()  # number of the newest version
    dropped = IntegerField(default=0)  # versions that the history no longer has
    position = BigIntegerField(null=True)  # of the log entry of its creation: where a search finds it
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)

    class Meta:
        table_name = "artifact"
        indexes = (
            (("thread", "id"), False),  # artifacts of a thread, newest first
            (("creator", "id"), False),  # what a user has created: for its erasure and export
        )


Artifact.add_index(  # what was found
    Artifact.position, name="artifact_position", unique=True, where=Artifact.position.is_null(False)
)


class ArtifactBody(Base):
    """A content by the hash of its JSON, as often as versions refer to it; it goes with the last of them."""

    digest = TextField(unique=True)
    data = BlobField()  # JSON, compressed by zlib
    references = IntegerField(default=1)

    class Meta:
        table_name = "artifact_body"


class ArtifactVersion(Base):
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    number = IntegerField()
    title = TextField()
    metadata = TextField(default="{}")
    body = ForeignKeyField(ArtifactBody, index=True)  # what refers to a body
    size = IntegerField()
    author = ForeignKeyField(User, index=False)
    created_at = BigIntegerField()
    change = TextField(constraints=[one_of("change", CHANGES)])
    label = TextField(null=True)
    message = TextField(null=True)  # public id
    tool_call = TextField(null=True)
    model = TextField(null=True)
    restored_from = IntegerField(null=True)

    class Meta:
        table_name = "artifact_version"
        primary_key = CompositeKey("artifact", "number")


class ArtifactShare(Base):
    """A link by which others read it without a token."""

    uid = TextField(unique=True)  # links by public id
    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=True)  # links to an artifact
    creator = ForeignKeyField(User, index=False)
    version = IntegerField(null=True)  # null: the newest
    label = TextField(null=True)
    created_at = BigIntegerField()
    expires_at = BigIntegerField()
    revoked_at = BigIntegerField(null=True)
    views = IntegerField(default=0)
    viewed_at = BigIntegerField(null=True)

    class Meta:
        table_name = "artifact_share"


class ArtifactData(Base):
    """A named table that changes without a new version of its artifact."""

    artifact = ForeignKeyField(Artifact, on_delete="CASCADE", index=False)
    name = TextField()
    columns = TextField()  # JSON list
    first = IntegerField()  # number of its first row
    next = IntegerField()  # number of the row that is appended next
    size = IntegerField()
    revision = IntegerField()
    author = ForeignKeyField(User, index=False)
    updated_at = BigIntegerField()

    class Meta:
        table_name = "artifact_data"
        indexes = ((("artifact", "name"), True),)  # data sets of an artifact


class ArtifactDataRow(Base):
    data = ForeignKeyField(ArtifactData, on_delete="CASCADE", index=False)
    number = IntegerField()
    cells = TextField()  # JSON list

    class Meta:
        table_name = "artifact_data_row"
        primary_key = CompositeKey("data", "number")
        without_rowid = True


class ArtifactText(FTS5Model):  # type: ignore[misc]  # playhouse ships no types
    """Titles and texts, folded, by the key of their artifact; the newest version's alone. What a search among messages
    finds is a part of the text: as it is written, and folded, since the journal has no time to fold it."""

    title = SearchField()
    text = SearchField()
    excerpt = SearchField(unindexed=True)
    folded = SearchField(unindexed=True)

    class Meta:
        database = database_proxy
        table_name = "artifact_text"
        options: Any = {"tokenize": f'"{TOKENIZER}"'}  # noqa: RUF012 - Peewee's own way


MODELS: tuple[type[Base], ...] = (Artifact, ArtifactBody, ArtifactVersion, ArtifactShare, ArtifactData, ArtifactDataRow)
"""Tables of this module, parents first; the index of texts is virtual, and the migration makes it."""
