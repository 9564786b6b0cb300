"""Administrators place and remove legal holds; both are in the audit log."""

from typing import Any

from actors.auth.identity import Identity
from actors.commands import Command
from actors.errors import Conflict, NotFound
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.holds import AddHold, LegalHold, RemoveHold
from actors.resources.users import User
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.personal import Personal
from storage.readers import rows
from storage.resources.audit import writing as audit
from storage.resources.holds import records
from storage.resources.holds.protection import is_user_held, shares_held_thread
from storage.resources.users import administrators
from storage.schema import models
from storage.schema.hold_models import LegalHold as H


@writes(AddHold)
def add_hold(tx: Transaction, command: AddHold) -> Done[LegalHold]:
    administrators.must_administer(tx, command.identity)
    uid, target = new_id(), _target(tx, command)
    made = H.insert(
        uid=uid, **target, reason=command.reason, creator=command.identity.user.key, created_at=tx.now
    )  # fmt: skip
    tx.execute(made)
    hold = _one(tx, uid)
    _audit(tx, command, "add_hold", hold)
    return Done(hold)


def _target(tx: Transaction, command: AddHold) -> dict[str, int]:
    if command.kind == "thread":
        return {"thread": tx.thread(command.target_id)[0]}
    U = models.User
    row = rows.first(tx.database, U.select(U.id).where((U.uid == command.target_id) & U.deleted_at.is_null()))
    if row is None:
        raise NotFound("user", command.target_id)
    return {"user": row[0]}


@writes(RemoveHold)
def remove_hold(tx: Transaction, command: RemoveHold) -> Done[LegalHold]:
    administrators.must_administer(tx, command.identity)
    hold = _one(tx, command.hold_id)
    tx.execute(H.delete().where(H.id == hold.key))
    _audit(tx, command, "remove_hold", hold)
    return Done(hold)


def _audit(tx: Transaction, command: Command[Any], action: str, hold: LegalHold) -> None:
    facts = {"hold": hold.id, "reason": hold.reason}
    is_added = action == "add_hold"
    audit.act(
        tx, command, action, (hold.kind, hold.target_id), None if is_added else facts, facts if is_added else None
    )  # fmt: skip


def _one(tx: Transaction, uid: str) -> LegalHold:
    row = rows.first(tx.database, records.query().where(H.uid == uid))
    if row is None:
        raise NotFound("hold", uid)
    return records.of(row)


def must_not_be_held(tx: Transaction, user: User) -> None:
    """Before a user is deleted, and what they wrote with them."""
    U = models.User
    is_held = is_user_held(U.id) | shares_held_thread(user.key)
    if rows.first(tx.database, U.select(U.id).where((U.id == user.key) & is_held)):
        raise Conflict(
            f"User {user.id!r}, or a thread in which they wrote, is under a legal hold. Deactivate the account "
            "instead, or delete it once the hold is removed: `xp hold list` shows the holds.",
            code="legal_hold",
        )


# Results, read again for an idempotency key


def _again(tx: Transaction, _: Identity, reference: results.Reference) -> LegalHold | None:
    row = rows.first(tx.database, records.query().where(H.uid == reference["id"]))
    return records.of(row) if row is not None else None


results.keep(LegalHold, refer=lambda hold: {"id": hold.id}, load=_again)


PERSONAL = (
    Personal(H.user, kept="a user under a hold is not deleted", withheld="who is under a hold need not know"),
    Personal(H.creator, kept="an act of an administrator", withheld="administrators read the holds"),
)
