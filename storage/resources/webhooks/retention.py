"""The delivery log is bounded: finished deliveries and dead letters of a webhook by number, all of them by age."""

from typing import Any, Final

from actors import limits
from storage.declared import Purge
from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.schema import webhook_models as models

_W, _D = models.Webhook, models.WebhookDelivery


def purge(tx: Transaction, count: int) -> int:
    """Answers how many rows were taken, `count` at most."""
    before = tx.now - limits.WEBHOOK_LOG_SECONDS * 1000
    taken = _take(tx, _D.select(_D.id).where(_D.finished_at < before).limit(count))
    for (webhook_key,) in rows.fetch(tx.database, _W.select(_W.id)):
        for state in ("delivered", "withdrawn", "dead"):
            if taken >= count:
                return taken
            taken += _take(tx, _beyond(webhook_key, state, count - taken))
    return taken


def _beyond(webhook_key: int, state: str, count: int) -> Any:
    theirs = _D.select(_D.id).where((_D.webhook == webhook_key) & (_D.state == state))
    return theirs.order_by(_D.id.desc()).limit(count).offset(limits.WEBHOOK_LOG)


def _take(tx: Transaction, query: Any) -> int:
    keys = [row[0] for row in rows.fetch(tx.database, query)]
    if keys:
        tx.execute(_D.delete().where(_D.id.in_(keys)))
    return len(keys)


PURGES: Final[tuple[Purge, ...]] = (purge,)
PERSONAL: Final = (Personal(_W.user, withheld="their user reads them at any time; their secret is shown once"),)
