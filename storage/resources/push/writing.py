"""What is done to subscriptions to Web Push."""

from actors import limits
from actors.auth.identity import Identity
from actors.commands import Gone
from actors.errors import NotFound
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.push import KeepPushTest, PushSubscription, PushTested, RecordPush, Subscribe, Unsubscribe
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.push.reading import P, of, query


@writes(Subscribe)
def subscribe(tx: Transaction, command: Subscribe) -> Done[PushSubscription]:
    tx.execute(P.delete().where(P.endpoint == command.endpoint))
    _make_room(tx, command.identity.user.key)
    identity, uid = command.identity, new_id()
    tx.execute(
        P.insert(
            uid=uid, user=identity.user.key, session=identity.session_id or None, api_key=identity.api_key_id or None,
            name=command.name, endpoint=command.endpoint, p256dh=command.p256dh, auth=command.auth, created_at=tx.now,
        )
    )  # fmt: skip
    made = _by_id(tx, uid)
    assert made is not None
    return Done(made)


def _make_room(tx: Transaction, user_key: int) -> None:
    """A browser that lost its subscription leaves one behind, which a push service ends only when it is used."""
    theirs = P.select(P.id).where(P.user == user_key).order_by(P.id.desc())
    kept = limits.PUSH_SUBSCRIPTIONS - 1
    over = [row[0] for row in rows.fetch(tx.database, theirs.offset(kept).limit(limits.PUSH_SUBSCRIPTIONS))]
    if over:
        tx.execute(P.delete().where(P.id.in_(over)))


@writes(Unsubscribe)
def unsubscribe(tx: Transaction, command: Unsubscribe) -> Done[Gone]:
    mine = (P.uid == command.subscription_id) & (P.user == command.identity.user.key)
    if not tx.execute(P.delete().where(mine)):
        raise NotFound("subscription", command.subscription_id)
    return Done(Gone(command.subscription_id))


@writes(KeepPushTest)
def keep_test(tx: Transaction, command: KeepPushTest) -> Done[PushTested]:
    return Done(command.tested)


@writes(RecordPush)
def record(tx: Transaction, command: RecordPush) -> Done[None]:
    if command.sent:
        tx.execute(P.update(sent_at=tx.now, failing_since=None).where(P.id.in_(list(command.sent))))
    if command.failed:
        news = P.id.in_(list(command.failed)) & P.failing_since.is_null()
        tx.execute(P.update(failing_since=tx.now).where(news))
    if command.gone:
        tx.execute(P.delete().where(P.id.in_(list(command.gone))))
    return Done(None)


def _by_id(tx: Transaction, uid: str) -> PushSubscription | None:
    row = rows.first(tx.database, query().where(P.uid == uid))
    return None if row is None else of(row)


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> PushSubscription | None:
    return _by_id(tx, reference["id"])


results.keep(PushSubscription, refer=lambda subscription: {"id": subscription.id}, load=_again)


def _tested(tx: Transaction, identity: Identity, reference: results.Reference) -> PushTested:
    return PushTested(reference["status"], reference["error"])


results.keep(PushTested, refer=lambda tested: {"status": tested.status, "error": tested.error}, load=_tested)
