"""Which letters are due."""

from collections.abc import Sequence

from peewee import SqliteDatabase

from actors import limits
from actors.resources.letters import ListDueLetters
from storage.clock import now_ms
from storage.readers import rows
from storage.readers.answers import answers
from storage.schema import letter_models

L = letter_models.Letter


@answers(ListDueLetters)
def due(database: SqliteDatabase, busy: tuple[int, ...] = ()) -> Sequence[int]:
    is_due = (L.state == "pending") & (L.not_before <= now_ms()) & L.id.not_in(list(busy))
    query = L.select(L.id).where(is_due).order_by(L.not_before, L.id).limit(limits.LETTERS_DUE)
    return [key for (key,) in rows.fetch(database, query)]
