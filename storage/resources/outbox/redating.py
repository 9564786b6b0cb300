"""What a clock that was ahead has dated, and waits to leave the server, does not wait until the clock gets there."""

from typing import Any

from peewee import fn

from actors import limits
from actors.outcomes import Done
from actors.resources.notifications import not_before
from actors.resources.outbox import RedateWaiting
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.preferences.reading import of_user
from storage.schema import letter_models, notice_models, notification_models, webhook_models

_O, _L, _N = notification_models.Outbox, letter_models.Letter, notice_models.Notice
_D, _W = webhook_models.WebhookDelivery, webhook_models.Webhook


@writes(RedateWaiting)
def redate(tx: Transaction, command: RedateWaiting) -> Done[int]:
    """Due now, and from now on counted as old; notifications keep the quiet hours of their users."""
    taken = 0
    for model, since in ((_L, _L.created_at), (_N, _N.created_at), (_D, _D.queued_at)):
        keys = [key for (key,) in _wrong(tx, model, since, command.rows, model.id)]
        taken = max(taken, len(keys))
        _update(tx, model, since, keys, tx.now)
    outbox = _wrong(tx, _O, _O.created_at, command.rows, _O.id, _O.user)
    for key, user_key in outbox:
        _update(tx, _O, _O.created_at, [key], not_before(tx.now, of_user(tx.database, user_key)))
    furthest = tx.now + limits.WEBHOOK_PAUSE_SECONDS_MAX * 1000
    tx.execute(_W.update(resumes_at=0).where(_W.resumes_at > furthest))
    return Done(max(taken, len(outbox)))


def _wrong(tx: Transaction, model: Any, since: Any, most: int, *columns: Any) -> list[tuple[Any, ...]]:
    """Written later than now, or due later than anything is put off: each found by an index of its own, as many may
    wait for the end of quiet hours."""
    soon = tx.now + limits.DUE_DRIFT_SECONDS * 1000
    furthest = tx.now + limits.DUE_AHEAD_SECONDS * 1000
    is_new = since > soon
    if model is _D:  # nothing is due before it was written; its index begins with the webhook
        is_new &= _D.webhook.in_(_W.select(_W.id)) & (_D.not_before > soon)
    for condition in (is_new, model.not_before > furthest):
        query = model.select(*columns).where((model.state == "pending") & condition)
        if found := rows.fetch(tx.database, query.limit(most)):
            return found
    return []


def _update(tx: Transaction, model: Any, since: Any, keys: list[int], due: int) -> None:
    if keys:
        tx.execute(model.update({model.not_before: due, since: fn.MIN(since, tx.now)}).where(model.id.in_(keys)))
