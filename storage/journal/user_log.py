"""Entries in users' own logs, written in the transaction of what they tell: many at a time, by two statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from peewee import EXCLUDED

from actors.event_kinds import USER_KINDS
from actors.events import EventKind
from actors.resources.user_events import Facts, UserEvent
from storage.compiled import ManyRows, insert_many, insert_rows
from storage.journal.transaction import Transaction
from storage.schema import notification_models as models

_L, _E = models.UserLog, models.UserEvent


def _advance(count: int) -> Any:
    rows = insert_many(_L, [_L.user, _L.offset, _L.first], count)
    further = rows.on_conflict(conflict_target=[_L.user], update={_L.offset: _L.offset + EXCLUDED.offset})
    return further.returning(_L.user, _L.offset)


ADVANCE_LOGS = ManyRows(_advance)
INSERT_USER_EVENTS = insert_rows(_E, (_E.user, _E.offset, _E.type, _E.time, _E.data))


@dataclass(slots=True)
class Entry:
    user_key: int
    kind: EventKind
    data: object
    """As published now."""
    kept: Facts | None = None
    """As stored, where that differs."""


def tell(tx: Transaction, entries: Iterable[Entry]) -> tuple[UserEvent, ...]:
    """Write them, in order; answers the events for their users' devices."""
    listed = list(entries)
    if not listed:
        return ()
    heads = _take_offsets(tx, listed)
    events, kept = [], []
    for entry in listed:
        USER_KINDS.require(entry.kind)
        heads[entry.user_key] = offset = heads[entry.user_key] + 1
        events.append(UserEvent(entry.user_key, offset, entry.kind.name, tx.now, entry.data, tx.position))
        text = orjson.dumps(entry.data if entry.kept is None else entry.kept).decode()
        kept.append((entry.user_key, offset, entry.kind.name, tx.now, text))
    INSERT_USER_EVENTS.run(tx.database, kept)
    return tuple(events)


def _take_offsets(tx: Transaction, entries: Sequence[Entry]) -> dict[int, int]:
    """User → where their log stood before these."""
    counts: dict[int, int] = {}
    for entry in entries:
        counts[entry.user_key] = counts.get(entry.user_key, 0) + 1
    taken = ADVANCE_LOGS.run(tx.database, [(user, count, 1) for user, count in counts.items()])
    return {user: head - counts[user] for user, head in taken}
