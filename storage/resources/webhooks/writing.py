"""What owners do to their webhooks."""

from typing import Any

import orjson

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.commands import Command, Gone
from actors.errors import Conflict, NotFound
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.webhooks import (
    TEST,
    CreateWebhook,
    DeleteWebhook,
    Delivery,
    QueueTest,
    ReplayDeliveries,
    RotateSecret,
    UpdateWebhook,
    Webhook,
)
from storage.journal import results
from storage.journal.transaction import Transaction, changed, given
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.audit import writing as audit
from storage.resources.user_log import reading as user_log
from storage.resources.webhooks.reading import find, has_room
from storage.resources.webhooks.records import deliveries_query, delivery_of
from storage.schema import webhook_models as models

_W, _B, _D = models.Webhook, models.WebhookThread, models.WebhookDelivery


@writes(CreateWebhook)
def create_webhook(tx: Transaction, command: CreateWebhook) -> Done[Webhook]:
    user = command.identity.user
    held = _W.select().where(_W.user == user.key).bind(tx.database).count()
    if held >= limits.WEBHOOKS_PER_USER:
        raise Conflict(f"A user may have at most {limits.WEBHOOKS_PER_USER} webhooks; delete one first.")
    threads = _threads(tx, command.identity, command.thread_ids)
    uid = new_id()
    insert = _W.insert(
        uid=uid, user=user.key, api_key=command.identity.api_key_id or None, name=command.name, url=command.url,
        events=_json(command.events), names_threads=threads is not None, ordered=command.ordered,
        secret=command.secret, created_at=tx.now, updated_at=tx.now, **_heads(tx, user.key),
    )  # fmt: skip
    key = tx.execute(insert)
    _name_threads(tx, key, threads)
    made = find(tx.database, uid)
    audit.act(tx, command, "create_webhook", ("webhook", uid), after=_facts(made), about=user.id)
    return Done(made)


@writes(UpdateWebhook)
def update_webhook(tx: Transaction, command: UpdateWebhook) -> Done[Webhook]:
    before = _own(tx, command, command.webhook_id)
    must_match(command.if_version, before.version)
    wanted = given(
        name=command.name, url=command.url, events=command.events, thread_ids=command.thread_ids,
        ordered=command.ordered, status=command.status,
    )  # fmt: skip
    fields = changed([(name, getattr(before, name)) for name in wanted], wanted)
    if not fields:
        return Done(before)
    tx.execute(_W.update(**_columns(tx, command, before, fields)).where(_W.id == before.key))
    after = find(tx.database, before.id)
    audit.act(tx, command, "update_webhook", ("webhook", after.id), _facts(before), _facts(after), about=after.user_id)
    return Done(after)


def _columns(tx: Transaction, command: UpdateWebhook, before: Webhook, fields: dict[str, Any]) -> dict[str, Any]:
    columns = {name: value for name, value in fields.items() if name != "thread_ids"}
    if "events" in fields:
        columns["events"] = _json(fields["events"])
    if "thread_ids" in fields:
        threads = _threads(tx, command.identity, fields["thread_ids"])
        columns["names_threads"] = threads is not None
        _name_threads(tx, before.key, threads)
    if fields.get("status") == "ACTIVE":
        columns |= {"disabled_by": None, "failures": 0, "failing_since": None, "resumes_at": 0}
        columns |= _heads(tx, command.identity.user.key)
    elif fields.get("status") == "DISABLED":
        columns["disabled_by"] = "request"
        give_up(tx, before.key)
    return columns | {"version": before.version + 1, "updated_at": tx.now}


@writes(DeleteWebhook)
def delete_webhook(tx: Transaction, command: DeleteWebhook) -> Done[Gone]:
    found = _managed(tx, command, command.webhook_id)
    must_match(command.if_version, found.version)
    tx.execute(_W.delete().where(_W.id == found.key))
    audit.act(tx, command, "delete_webhook", ("webhook", found.id), before=_facts(found), about=found.user_id)
    return Done(Gone(found.id))


@writes(RotateSecret)
def rotate_secret(tx: Transaction, command: RotateSecret) -> Done[Webhook]:
    found = _own(tx, command, command.webhook_id)
    update = _W.update(
        previous_secret=_W.secret, previous_until=tx.now + command.overlap_seconds * 1000, secret=command.secret,
        version=found.version + 1, updated_at=tx.now,
    )  # fmt: skip
    tx.execute(update.where(_W.id == found.key))
    facts = {"overlap_seconds": command.overlap_seconds}
    audit.act(tx, command, "rotate_webhook_secret", ("webhook", found.id), after=facts, about=found.user_id)
    return Done(find(tx.database, found.id))


@writes(QueueTest)
def test_webhook(tx: Transaction, command: QueueTest) -> Done[Delivery]:
    found = _managed(tx, command, command.webhook_id)
    if found.status != "ACTIVE":
        raise Conflict("The webhook is DISABLED; set it to ACTIVE first.")
    if not has_room(tx.database, found.key):
        sentence = f"{limits.WEBHOOK_PENDING} deliveries of this webhook wait; tests are queued once there are fewer."
        raise Conflict(sentence)
    uid = new_id()
    insert = _D.insert(uid=uid, webhook=found.key, type=TEST, not_before=tx.now, created_at=tx.now, queued_at=tx.now)
    tx.execute(insert)
    return Done(_delivery(tx, uid))


@writes(ReplayDeliveries)
def replay(tx: Transaction, command: ReplayDeliveries) -> Done[int]:
    found = _managed(tx, command, command.webhook_id)
    if found.status != "ACTIVE":
        raise Conflict("The webhook is DISABLED; set it to ACTIVE first.")
    theirs = _D.webhook == found.key
    if command.delivery_ids is None:
        chosen = _D.state == "dead"
    else:
        _must_all_be_there(tx, theirs, command.delivery_ids)
        chosen = _D.uid.in_(list(command.delivery_ids)) & _D.state.in_(["delivered", "dead"])
    update = _D.update(state="pending", attempts=0, not_before=tx.now, queued_at=tx.now, finished_at=None)
    return Done(tx.execute(update.where(theirs & chosen)))


def _must_all_be_there(tx: Transaction, theirs: Any, ids: tuple[str, ...]) -> None:
    there = {uid for (uid,) in rows.fetch(tx.database, _D.select(_D.uid).where(theirs & _D.uid.in_(list(ids))))}
    if missing := [uid for uid in ids if uid not in there]:
        raise NotFound("delivery", missing[0])


def give_up(tx: Transaction, webhook_key: int) -> None:
    """What waits is dead: it can be replayed."""
    waits = (_D.webhook == webhook_key) & (_D.state == "pending")
    tx.execute(_D.update(state="dead", finished_at=tx.now).where(waits))


# What commands look at before they write


def _own(tx: Transaction, command: Command[Any], webhook_id: str) -> Webhook:
    """An administrator does not choose where another user's events go, and sees no secret of theirs."""
    found = find(tx.database, webhook_id)
    if found.user_id != command.identity.user.id:
        raise NotFound("webhook", webhook_id)
    return found


def _managed(tx: Transaction, command: Command[Any], webhook_id: str) -> Webhook:
    found = find(tx.database, webhook_id)
    if found.user_id != command.identity.user.id and not command.identity.is_admin:
        raise NotFound("webhook", webhook_id)
    return found


def _threads(tx: Transaction, identity: Identity, ids: tuple[str, ...] | None) -> list[int] | None:
    """Keys of threads that the identity may see; raises `NotFound`."""
    if ids is None:
        return None
    keys = []
    for uid in dict.fromkeys(ids):
        key, _, _ = tx.thread(uid)
        permissions.must_see(identity, tx.role(key, identity.user.key), uid)
        keys.append(key)
    return keys


def _name_threads(tx: Transaction, webhook_key: int, threads: list[int] | None) -> None:
    tx.execute(_B.delete().where(_B.webhook == webhook_key))
    if threads:
        tx.execute(_B.insert_many([(webhook_key, key) for key in threads], fields=[_B.webhook, _B.thread]))


def _heads(tx: Transaction, user_key: int) -> dict[str, int]:
    """Cursors behind all that there is: only what happens from now on is delivered."""
    return {
        "position": tx.position,
        "own_offset": user_log.heads(tx.database, [user_key]).get(user_key, 0),
    }


def _facts(webhook: Webhook) -> dict[str, Any]:
    """For the audit log."""
    return {
        "url": webhook.url, "events": webhook.events, "thread_ids": webhook.thread_ids, "status": webhook.status,
        "user_id": webhook.user_id,
    }  # fmt: skip


def _json(events: tuple[str, ...]) -> str:
    return orjson.dumps(events).decode()


def _delivery(tx: Transaction, uid: str) -> Delivery:
    row = rows.first(tx.database, deliveries_query().where(_D.uid == uid))
    if row is None:
        raise NotFound("delivery", uid)
    return delivery_of(row)


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Webhook:
    return find(tx.database, reference["id"])


def _delivery_again(tx: Transaction, identity: Identity, reference: results.Reference) -> Delivery:
    return _delivery(tx, reference["id"])


results.keep(Webhook, refer=lambda webhook: {"id": webhook.id}, load=_again)
results.keep(Delivery, refer=lambda delivery: {"id": delivery.id}, load=_delivery_again)
