"""What was found becomes records, as the caller sees them."""

from collections.abc import Sequence

from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.resources.messages import Message
from actors.resources.search import Hit
from actors.resources.threads import THREAD_CREATED
from storage.readers import rows, weight
from storage.readers.paging import page_of
from storage.schema import models
from storage.search.ranking import score
from storage.search.reranking import Judged
from storage.search.snippets import snippet

_M, _T, _E = models.Message, models.Thread, models.Event
_Titles = dict[int, tuple[str, str]]
"""Key of the message, or log position at which the thread was opened → (id, title) of the thread."""


def hits_of(
    database: SqliteDatabase, identity: Identity, page: Sequence[Judged], now: int
) -> tuple[tuple[Hit, ...], bool]:
    """As many of the page as it has room for in bytes, and whether some are left."""
    places = [(judged,) for judged in page]
    viewer = identity.user.key
    return page_of(places, len(page), lambda part: _hits(database, viewer, [row[0] for row in part], now), weight.hit)


def _hits(database: SqliteDatabase, viewer_key: int, page: Sequence[Judged], now: int) -> list[Hit]:
    keys = [judged.key for judged in page]
    found = rows.fetch(database, rows.messages_query().where(_M.id.in_(keys)))
    messages = {message.key: message for message in rows.messages_of(database, found, viewer_key)}
    titles = _titles(database, keys)
    return [_hit(judged, messages.get(judged.key), *titles[judged.key], now) for judged in page]


def _titles(database: SqliteDatabase, keys: list[int]) -> _Titles:
    of_messages = _M.select(_M.id, _T.uid, _T.title).join(_T, on=(_M.thread == _T.id)).where(_M.id.in_(keys))
    opened = (_E.type == THREAD_CREATED.name) & _E.position.in_(keys)
    of_threads = _E.select(_E.position, _T.uid, _T.title).join(_T, on=(_E.thread == _T.id)).where(opened)
    found = rows.fetch(database, of_messages) + rows.fetch(database, of_threads)
    return {key: (uid, title) for key, uid, title in found}


def _hit(judged: Judged, message: Message | None, thread_id: str, title: str, now: int) -> Hit:
    return Hit(
        kind="thread" if message is None else "message",
        score=score(judged.rank, now),
        snippet=snippet(judged.text, judged.hits),
        message=message,
        thread_id=thread_id,
        title=title,
    )
