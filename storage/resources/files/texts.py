"""Names and texts of files: for `GET /files?q=` all of them, in an index of their own; for the full-text search
those in a thread, among its messages."""

from contextlib import AbstractContextManager
from typing import Any, Final

from peewee import SqliteDatabase, fn

from actors import limits
from actors.resources.files.file import FILE_ATTACHED, FILE_CREATED
from actors.resources.search import FILES
from actors.text.folding import fold
from storage.schema import models
from storage.schema.file_models import File, FileText
from storage.search import index
from storage.search.searched import Searched

_E = models.Event


def _text() -> Any:
    original = FileText.select(fn.SUBSTR(FileText.original, 1, limits.SEARCH_FILE_CHARS))
    return File.name.concat("\n").concat(fn.COALESCE(original.where(FileText.rowid == File.id), ""))


FOUND: Final = Searched(
    FILES,
    (FILE_CREATED, FILE_ATTACHED),
    source=File,
    thread=File.thread,
    position=File.position,
    uid=File.uid,
    author=File.owner,
    text=_text(),
    made_at=_E.select(_E.time).where(_E.position == File.position),
    there=File.deleted_at.is_null() & File.position.is_null(False),
)
SEARCHED: Final = (FOUND,)


def changing(database: SqliteDatabase, file_key: int) -> AbstractContextManager[None]:
    """Around a change of the name, the text or the thread, and around the deletion."""
    return index.changing(database, FOUND, File.id == file_key)


def begin(database: SqliteDatabase, file_key: int, name: str) -> None:
    FileText.insert({
        FileText.rowid: file_key, FileText.name: fold(name), FileText.text: "", FileText.original: "",
    }).execute(database)  # fmt: skip


def rename(database: SqliteDatabase, file_key: int, name: str) -> None:
    FileText.update({FileText.name: fold(name)}).where(FileText.rowid == file_key).execute(database)


def replace(database: SqliteDatabase, file_key: int, text: str, words: str | None = None) -> None:
    """By the text of the newest version; empty: it has none, or is not to be shown. `words`: the same, folded."""
    words = fold(text) if words is None else words
    with changing(database, file_key):
        update = FileText.update({FileText.text: words, FileText.original: text})
        update.where(FileText.rowid == file_key).execute(database)


def end(database: SqliteDatabase, file_key: int) -> None:
    """Within `changing`."""
    FileText.delete().where(FileText.rowid == file_key).execute(database)
