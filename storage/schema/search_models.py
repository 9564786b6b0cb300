"""The index, and how far it has come."""

from typing import Any

from peewee import BigIntegerField, TextField
from playhouse.sqlite_ext import FTS5Model, SearchField

from actors.text.folding import TOKENIZER
from storage.schema.models import Base, database_proxy


class SearchIndex(FTS5Model):  # type: ignore[misc]  # playhouse ships no types
    """Keeps no text of its own: what is in it is taken out by giving the same words again."""

    text = SearchField()
    tags = SearchField()

    class Meta:
        database = database_proxy
        table_name = "search"
        options: Any = {"tokenize": f'"{TOKENIZER}"', "content": "", "columnsize": 0}  # noqa: RUF012 - Peewee's own way


class SearchProgress(Base):
    """One row. Whatever was made up to position `indexed` is in the index; what is newer is looked through as it is."""

    version = TextField(default="")
    """Of the folding that the index was made with."""
    indexed = BigIntegerField(default=0)

    class Meta:
        table_name = "search_progress"


MODELS: tuple[type[Base], ...] = (SearchProgress,)
"""Tables of this module; the index itself is virtual, and the migration makes it."""
