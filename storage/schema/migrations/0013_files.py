"""Files: records, versions, blobs, previews, uploads, the room that they take, and a search index of their own."""

from typing import Any

from peewee import (
    BigIntegerField,
    BooleanField,
    Check,
    CompositeKey,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def one_of(column: str, *values: str) -> Any:
    return Check(f"{column} IN ({', '.join(repr(value) for value in values)})")


class User(Model):
    """What is referred to here of tables that are there already."""

    class Meta:
        table_name = "user"


class Thread(Model):
    class Meta:
        table_name = "thread"


class Message(Model):
    class Meta:
        table_name = "message"


class Blob(Model):
    digest = TextField(unique=True)
    size = BigIntegerField()
    references = IntegerField()
    state = TextField(constraints=[one_of("state", "kept", "going")])
    unreferenced_at = BigIntegerField(null=True)

    class Meta:
        table_name = "blob"


Blob.add_index(Blob.unreferenced_at, name="blob_unreferenced", where=Blob.unreferenced_at.is_null(False))


class File(Model):
    uid = TextField(unique=True)
    owner = ForeignKeyField(User, index=False)
    thread = ForeignKeyField(Thread, on_delete="CASCADE", null=True, index=False)
    name = TextField()
    declared_type = TextField(null=True)
    status = TextField(
        constraints=[one_of("status", "pending", "scanning", "ready", "quarantined", "failed", "deleted")]
    )
    reason = TextField(null=True)
    metadata = TextField()
    version = IntegerField()
    revision = IntegerField()
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)

    class Meta:
        table_name = "file"
        indexes = ((("thread", "id"), False), (("owner", "id"), False))


class FileVersion(Model):
    file = ForeignKeyField(File, on_delete="CASCADE", index=False)
    number = IntegerField()
    blob = ForeignKeyField(Blob, index=True)
    size = BigIntegerField()
    media_type = TextField()
    trusted = BooleanField()
    charset = TextField(null=True)
    author = ForeignKeyField(User, index=False)
    created_at = BigIntegerField()
    scan = TextField(constraints=[one_of("scan", "due", "clean", "found", "skipped")])
    preview = TextField(constraints=[one_of("preview", "due", "done", "failed", "none")])
    details = TextField()
    placeholder = TextField(null=True)

    class Meta:
        table_name = "file_version"
        primary_key = CompositeKey("file", "number")


FileVersion.add_index(FileVersion.file, name="file_version_scan", where=FileVersion.scan == "due")
FileVersion.add_index(FileVersion.file, name="file_version_preview", where=FileVersion.preview == "due")


class FilePreview(Model):
    file = ForeignKeyField(File, on_delete="CASCADE", index=False)
    number = IntegerField()
    name = TextField()
    blob = ForeignKeyField(Blob, index=True)
    size = BigIntegerField()
    media_type = TextField()
    width = IntegerField(null=True)
    height = IntegerField(null=True)

    class Meta:
        table_name = "file_preview"
        primary_key = CompositeKey("file", "number", "name")


class MessageFile(Model):
    message = ForeignKeyField(Message, on_delete="CASCADE", index=False)
    place = IntegerField()
    file = ForeignKeyField(File, on_delete="CASCADE", index=True)

    class Meta:
        table_name = "message_file"
        primary_key = CompositeKey("message", "place")
        without_rowid = True


class Upload(Model):
    uid = TextField(unique=True)
    file = ForeignKeyField(File, on_delete="CASCADE", index=True)
    owner = ForeignKeyField(User, on_delete="CASCADE", index=True)
    kind = TextField(constraints=[one_of("kind", "plain", "resumable", "direct")])
    length = BigIntegerField(null=True)
    reserved = BigIntegerField()
    declared_type = TextField(null=True)
    created_at = BigIntegerField()
    expires_at = BigIntegerField(index=True)
    completed_as = IntegerField(null=True)

    class Meta:
        table_name = "upload"


class StorageUse(Model):
    scope = TextField(constraints=[one_of("scope", "user", "thread", "server")])
    key = IntegerField()
    size = BigIntegerField()

    class Meta:
        table_name = "storage_use"
        primary_key = CompositeKey("scope", "key")
        without_rowid = True


MODELS = (Blob, File, FileVersion, FilePreview, MessageFile, Upload, StorageUse)


def up(migrator: Any, db: Database) -> None:
    with db.bind_ctx((User, Thread, Message, *MODELS)):
        db.create_tables(MODELS)
    db.execute_sql(
        """CREATE VIRTUAL TABLE "file_text" USING fts5 (name, text,
        tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Mn Mc'")"""
    )


def down(migrator: Any, db: Database) -> None:
    """The blobs stay where they are stored; nothing names them any more."""
    db.execute_sql('DROP TABLE "file_text"')
    db.execute_sql('DELETE FROM "event" WHERE "type" GLOB \'file.*\'')
    with db.bind_ctx((User, Thread, Message, *MODELS)):
        db.drop_tables(reversed(MODELS))
