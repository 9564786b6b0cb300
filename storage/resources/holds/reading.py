"""Legal holds read."""

from peewee import SqliteDatabase

from actors.page import Page
from actors.resources.holds import LegalHold, ListHolds
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.holds import records
from storage.schema.hold_models import LegalHold as H


@answers(ListHolds)
def page(
    database: SqliteDatabase, *, limit: int, before: int | None = None, target_id: str | None = None
) -> Page[LegalHold]:
    query = records.query().order_by(H.id.desc())
    if before is not None:
        query = query.where(H.id < before)
    if target_id is not None:
        query = query.where(records.about(target_id))
    found = rows.fetch(database, query.limit(limit + 1))
    shown = tuple(map(records.of, found[:limit]))
    return Page(shown, f"before:{shown[-1].key}" if len(found) > limit else None)
