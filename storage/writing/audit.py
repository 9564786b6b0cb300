"""The audit log: written in the transaction of what it tells, each entry chained to the one before."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from actors.account_commands import NoteForAudit
from actors.commands import Command, Done, ThreadCommand
from actors.identifiers import new_id
from actors.records import MemberRole, Origin
from storage import rows
from storage.audit_chain import CHAINED, GENESIS, entry_hash
from storage.identity_models import Audit
from storage.writing.transaction import Transaction

TERMINAL = Origin("", "", "")


def note(
    tx: Transaction,
    action: str,
    target: tuple[str, str],
    *,
    actor_id: str | None,
    credential: str = "",
    origin: Origin | None = None,
    outcome: str = "done",
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    where = origin or TERMINAL
    values = (
        new_id(), tx.now, actor_id, credential, where.address, where.user_agent, where.correlation_id, action, *target,
        outcome, reason, _json(before), _json(after),
    )  # fmt: skip
    fields = dict(zip((field.name for field in CHAINED), values, strict=True))
    tx.execute(Audit.insert(**fields, hash=entry_hash(newest_hash(tx), values)))


def act(
    tx: Transaction,
    command: Command,
    action: str,
    target: tuple[str, str],
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """What somebody did, by a command of theirs."""
    note(
        tx, action, target, actor_id=command.identity.user.id, credential=credential_of(command), origin=command.origin,
        before=before, after=after,
    )  # fmt: skip


def intervene(
    tx: Transaction,
    command: ThreadCommand,
    role: MemberRole | None,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    is_own: bool = False,
) -> None:
    """What somebody does in a thread that is not theirs, because they are an administrator; `is_own`: about themselves,
    which every member may."""
    if role != "OWNER" and not (is_own and role is not None):
        act(tx, command, action, ("thread", command.thread_id), before, after)


def difference(before: Any, after: Any, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Those of the named fields in which two records differ, as they were and as they are."""
    changed = [name for name in names if getattr(before, name) != getattr(after, name)]
    return {name: getattr(before, name) for name in changed}, {name: getattr(after, name) for name in changed}


def credential_of(command: Command) -> str:
    return "terminal" if command.origin is None else command.identity.credential


def newest_hash(tx: Transaction) -> str:
    row = rows.first(tx.database, Audit.select(Audit.hash).order_by(Audit.id.desc()).limit(1))
    return str(row[0]) if row else GENESIS


def note_for_audit(tx: Transaction, command: NoteForAudit) -> Done:
    note(
        tx, command.action, (command.target_kind, command.target_id), actor_id=command.actor_id,
        credential=command.credential, origin=command.origin, outcome=command.outcome, reason=command.reason,
    )  # fmt: skip
    return Done(None)


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
