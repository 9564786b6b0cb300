"""What waits to leave the server, for its status."""

from typing import Any

from peewee import SqliteDatabase, fn

from actors.resources.outbox import WAYS, CountWaiting, SentBy, Waiting
from storage.readers import rows
from storage.readers.answers import answers
from storage.schema import letter_models, notice_models, notification_models, webhook_models

_O, _L, _N, _D = notification_models.Outbox, letter_models.Letter, notice_models.Notice, webhook_models.WebhookDelivery


@answers(CountWaiting)
def waiting(database: SqliteDatabase) -> dict[SentBy, Waiting]:
    """By indexes of what is pending: what was sent is not looked at."""
    sums: dict[SentBy, list[tuple[int, int]]] = {"email": [], "web_push": [], "webhook": []}
    waits = (_O.state == "pending") & _O.kind.in_(WAYS)  # webhooks take notifications from their users' logs
    by_way = _O.select(_O.kind, fn.COUNT(_O.id), fn.MIN(_O.created_at)).where(waits).group_by(_O.kind)
    for kind, count, oldest in rows.fetch(database, by_way):
        sums[kind].append((count, oldest))
    sums["email"] += [*_pending(database, _L, _L.created_at), *_pending(database, _N, _N.created_at)]
    sums["webhook"] += _pending(database, _D, _D.queued_at)
    return {
        way: Waiting(sum(count for count, _ in found), min((oldest for _, oldest in found), default=None))
        for way, found in sums.items()
    }


def _pending(database: SqliteDatabase, model: Any, since: Any) -> list[tuple[int, int]]:
    found = rows.fetch(database, model.select(fn.COUNT(model.id), fn.MIN(since)).where(model.state == "pending"))
    return [(count, oldest) for count, oldest in found if count]
