"""What refers to a file from outside: messages, and every other table with a foreign key to it but its own parts.
A new resource that names files needs no line here."""

from functools import reduce
from operator import or_
from typing import Any

from peewee import SQL, Database, ForeignKeyField, fn

from storage.readers import rows
from storage.schema import file_models, models

_F, _M = file_models.File, file_models.MessageFile
PARTS = (file_models.FileVersion, file_models.FilePreview, file_models.Upload)


def references() -> dict[ForeignKeyField, Any]:
    """Foreign key → its table. Asked when it is used: then every table is known."""
    return {key: model for key, model in _F._meta.backrefs.items() if model not in PARTS}


def is_used(*, but_message: int | None = None, but_author: int | None = None) -> Any:
    """Whether anything refers to the file of the query; one message may be left out, or all of one author."""
    return reduce(or_, (_refers(key, model, but_message, but_author) for key, model in references().items()))


def is_pinned() -> Any:
    """Whether anything but a message refers to it: a message shows the newest version, others may name an older one."""
    others = [_refers(key, model) for key, model in references().items() if model is not _M]
    return reduce(or_, others, SQL("0"))


def _refers(key: ForeignKeyField, model: Any, but_message: int | None = None, but_author: int | None = None) -> Any:
    Other = model.alias()
    query = Other.select(SQL("1")).where(getattr(Other, key.name) == _F.id)
    if model is _M and but_message is not None:
        query = query.where(Other.message != but_message)
    if model is _M and but_author is not None:
        Message = models.Message.alias()
        theirs = Message.select(SQL("1")).where((Message.id == Other.message) & (Message.author == but_author))
        query = query.where(~fn.EXISTS(theirs))
    return fn.EXISTS(query)


def has_open_upload() -> Any:
    U = file_models.Upload.alias()
    return fn.EXISTS(U.select(SQL("1")).where((U.file == _F.id) & U.completed_as.is_null()))


def messages_of(database: Database, file_key: int) -> list[tuple[str, str]]:
    """(message, thread) by their ids: who shows a file, the newest first."""
    Message, Thread = models.Message, models.Thread
    query = _M.select(Message.uid, Thread.uid).join(Message, on=(_M.message == Message.id))
    query = query.join_from(Message, Thread, on=(Message.thread == Thread.id)).where(_M.file == file_key)
    return [(message, thread) for message, thread in rows.fetch(database, query.order_by(Message.id.desc()))]
