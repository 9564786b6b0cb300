"""Who has acknowledged a message, and what waits for oneself."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.page import Page
from actors.resources.acknowledgements import (
    MESSAGE_ACKNOWLEDGED,
    Acknowledged,
    Acknowledgement,
    Answer,
    ListAcknowledgements,
    ListUnacknowledged,
)
from actors.resources.messages import Message
from storage.readers import rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.acknowledgements.records import A
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.resources.messages import reading as messages
from storage.schema import models

_M, _T, _U, _P = models.Message, models.Thread, models.User, models.Member


@answers(ListAcknowledgements)
def page(
    database: SqliteDatabase,
    identity: Identity,
    message_id: str,
    *,
    answer: Answer | None,
    limit: int,
    after: int | None,
) -> Page[Acknowledgement]:
    message = messages.one(database, identity, message_id)
    query = A.select(A.acknowledged_at, _U.id, _U.uid, _U.name, _U.kind, _U.avatar_url)
    wanted = (A.message == message.key) & (A.user > (after or 0))
    if answer is not None:
        wanted &= A.acknowledged_at.is_null(answer == "waiting")
    query = query.join(_U, on=(A.user == _U.id)).where(wanted).order_by(A.user).limit(limit + 1)
    found = rows.fetch(database, query)
    shown = tuple(Acknowledgement(rows.author_of(row[1:]), row[0]) for row in found[:limit])
    return Page(shown, f"after:{shown[-1].user.key}" if len(found) > limit else None)


@answers(ListUnacknowledged)
def page_of_own(database: SqliteDatabase, identity: Identity, *, limit: int, before: int | None) -> Page[Message]:
    me = identity.user.key
    waiting = A.select(A.message).where((A.user == me) & A.acknowledged_at.is_null())
    threads = _P.select(_P.thread).where(_P.user == me)
    wanted = _M.id.in_(waiting) & _M.thread.in_(threads) & _T.deleted_at.is_null()
    if before is not None:
        wanted &= _M.id < before
    query = rows.messages_query().where(wanted).order_by(_M.id.desc()).limit(limit + 1)

    def _made(part: Sequence[Sequence[Any]]) -> Sequence[Message]:
        return rows.messages_of(database, part, me)

    shown, more = page_of(rows.iterate(database, query), limit, _made, weight.message)
    return Page(shown, f"before:{shown[-1].key}" if more else None)


# Loaded for a replay


def _replayed(replay: Replay, entry: Entry) -> Acknowledged:
    facts = orjson.loads(entry.data or "{}")
    message = replay.messages[entry.ref]
    return Acknowledged(
        message.key, message.id, replay.authors[entry.actor], entry.time, facts["asked"], facts["acknowledged"]
    )


LOADERS: Final[Loaders] = {MESSAGE_ACKNOWLEDGED: _replayed}
