"""What was found becomes records, as the caller sees them."""

import json
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.resources.messages import Message
from actors.resources.search import Hit
from storage.compiled import Prepared, each_of
from storage.readers import rows, weight
from storage.readers.paging import page_of
from storage.schema import models
from storage.search.ranking import score
from storage.search.reranking import Judged
from storage.search.searched import Searched, everything
from storage.search.snippets import snippet

_M, _T = models.Message, models.Thread


class _Place(NamedTuple):
    """What was found, and the thread that it is in."""

    kind: str
    id: str
    thread_id: str
    title: str


def hits_of(
    database: SqliteDatabase, identity: Identity, page: Sequence[Judged], now: int
) -> tuple[tuple[Hit, ...], bool]:
    """As many of the page as it has room for in bytes, and whether some are left."""
    places = [(judged,) for judged in page]
    viewer = identity.user.key
    return page_of(places, len(page), lambda part: _hits(database, viewer, [row[0] for row in part], now), weight.hit)


def _hits(database: SqliteDatabase, viewer_key: int, page: Sequence[Judged], now: int) -> list[Hit]:
    keys = [judged.key for judged in page]
    messages = {message.key: message for message in rows.messages_by_key(database, keys, viewer_key)}
    places = _places(database, keys)
    return [_hit(judged, messages.get(judged.key), places[judged.key], now) for judged in page]


def _places(database: SqliteDatabase, keys: list[int]) -> dict[int, _Place]:
    given = json.dumps(keys)
    found = {row[0]: _Place("message", *row[1:]) for row in _MESSAGES.all(database, keys=given)}
    for searched in everything():
        these = _entries(searched).all(database, keys=given)
        found |= {row[0]: _Place(searched.kind.name, *row[1:]) for row in these}
    return found


_MESSAGES = Prepared(
    lambda given: (
        _M.select(_M.id, _M.uid, _T.uid, _T.title)
        .join(_T, on=(_M.thread == _T.id))
        .where(_M.id.in_(each_of(given.keys)))
    )
)


@cache
def _entries(searched: Searched) -> Prepared:
    return Prepared(
        lambda given: searched.select(searched.position, searched.uid, _T.uid, _T.title).where(
            searched.position.in_(each_of(given.keys)) & searched.there
        )
    )


def _hit(judged: Judged, message: Message | None, place: _Place, now: int) -> Hit:
    return Hit(
        kind=place.kind,
        id=place.id,
        score=score(judged.rank, now),
        snippet=snippet(judged.text, judged.hits),
        message=message,
        thread_id=place.thread_id,
        title=place.title,
    )
