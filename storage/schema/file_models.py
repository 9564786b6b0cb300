"""The schema of files: records, versions, blobs, previews, uploads, and the room that they take.
See `storage/schema/models.py` for the rest."""

from typing import Any

from peewee import BigIntegerField, BooleanField, CompositeKey, ForeignKeyField, IntegerField, TextField
from playhouse.sqlite_ext import FTS5Model, SearchField

from actors.resources.files import file as files
from actors.resources.files import uploads
from actors.text.folding import TOKENIZER
from storage.schema.models import Base, Message, Thread, User, database_proxy, one_of

BLOB_STATES = ("kept", "going")
SCOPES = ("user", "thread", "server")


class Blob(Base):
    """Bytes by the hash of their content, as often as they are referred to. What nothing refers to is deleted from the
    store while `going`; nobody may refer to it then."""

    digest = TextField(unique=True)
    size = BigIntegerField()
    references = IntegerField(default=0)
    state = TextField(default="kept", constraints=[one_of("state", BLOB_STATES)])
    unreferenced_at = BigIntegerField(null=True)

    class Meta:
        table_name = "blob"


Blob.add_index(  # what may go
    Blob.unreferenced_at, name="blob_unreferenced", where=Blob.unreferenced_at.is_null(False)
)


class File(Base):
    uid = TextField(unique=True)  # files by public id
    owner = ForeignKeyField(User, index=False)
    thread = ForeignKeyField(Thread, on_delete="CASCADE", null=True, index=False)
    name = TextField()
    declared_type = TextField(null=True)
    status = TextField(default="pending", constraints=[one_of("status", files.FILE_STATUSES)])
    reason = TextField(null=True)
    metadata = TextField(default="{}")
    version = IntegerField(default=0)  # number of the newest version; 0: none yet
    revision = IntegerField(default=1)
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)
    position = BigIntegerField(null=True)  # of the log entry by which it joined its thread: where a search finds it

    class Meta:
        table_name = "file"
        indexes = (
            (("thread", "id"), False),  # files of a thread, newest first
            (("owner", "id"), False),  # one's own files, newest first
        )


File.add_index(File.position, name="file_position", unique=True, where=File.position.is_null(False))  # what was found


class FileVersion(Base):
    file = ForeignKeyField(File, on_delete="CASCADE", index=False)
    number = IntegerField()
    blob = ForeignKeyField(Blob, index=True)  # what refers to a blob
    size = BigIntegerField()
    media_type = TextField()
    trusted = BooleanField(default=False)
    charset = TextField(null=True)
    author = ForeignKeyField(User, index=False)
    created_at = BigIntegerField()
    scan = TextField(constraints=[one_of("scan", files.SCANS)])
    preview = TextField(constraints=[one_of("preview", files.PREVIEW_STATES)])
    details = TextField(default="{}")
    placeholder = TextField(null=True)

    class Meta:
        table_name = "file_version"
        primary_key = CompositeKey("file", "number")


FileVersion.add_index(FileVersion.file, name="file_version_scan", where=FileVersion.scan == "due")  # to be scanned
FileVersion.add_index(FileVersion.file, name="file_version_preview", where=FileVersion.preview == "due")  # to be shown


class FilePreview(Base):
    file = ForeignKeyField(File, on_delete="CASCADE", index=False)
    number = IntegerField()
    name = TextField()
    blob = ForeignKeyField(Blob, index=True)  # what refers to a blob
    size = BigIntegerField()
    media_type = TextField()
    width = IntegerField(null=True)
    height = IntegerField(null=True)

    class Meta:
        table_name = "file_preview"
        primary_key = CompositeKey("file", "number", "name")


class MessageFile(Base):
    """Which files a message shows, in its order."""

    message = ForeignKeyField(Message, on_delete="CASCADE", index=False)
    place = IntegerField()
    file = ForeignKeyField(File, on_delete="CASCADE", index=True)  # what shows a file

    class Meta:
        table_name = "message_file"
        primary_key = CompositeKey("message", "place")
        without_rowid = True


class Upload(Base):
    """Bytes on their way: how many have arrived, the staged file itself says."""

    uid = TextField(unique=True)  # uploads by public id
    file = ForeignKeyField(File, on_delete="CASCADE", index=True)  # they end with their file
    owner = ForeignKeyField(User, on_delete="CASCADE", index=True)  # how many a user has open
    kind = TextField(constraints=[one_of("kind", uploads.UPLOAD_KINDS)])
    length = BigIntegerField(null=True)
    reserved = BigIntegerField(default=0)  # bytes of room kept for it
    declared_type = TextField(null=True)
    created_at = BigIntegerField()
    expires_at = BigIntegerField(index=True)  # what is past its time
    completed_as = IntegerField(null=True)

    class Meta:
        table_name = "upload"


class StorageUse(Base):
    """Bytes of all versions and of what uploads reserved: of a user, a thread, or all (key 0)."""

    scope = TextField(constraints=[one_of("scope", SCOPES)])
    key = IntegerField()
    size = BigIntegerField(default=0)

    class Meta:
        table_name = "storage_use"
        primary_key = CompositeKey("scope", "key")
        without_rowid = True


class FileText(FTS5Model):  # type: ignore[misc]  # playhouse ships no types
    """Names and extracted texts, folded, by the key of their file; the newest version's alone. And the text as it was,
    to be shown."""

    name = SearchField()
    text = SearchField()
    original = SearchField(unindexed=True)

    class Meta:
        database = database_proxy
        table_name = "file_text"
        options: Any = {"tokenize": f'"{TOKENIZER}"'}  # noqa: RUF012 - Peewee's own way


MODELS: tuple[type[Base], ...] = (
    Blob, File, FileVersion, FilePreview, MessageFile, Upload, StorageUse,
)  # fmt: skip
"""Tables of this module, parents first; the index of texts is virtual, and the migration makes it."""
