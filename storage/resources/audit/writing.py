"""The audit log: written in the transaction of what it tells, each entry chained to the one before."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from actors.auth.identity import Origin
from actors.commands import Command, ThreadCommand
from actors.errors import StorageUnavailable
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.audit import NoteForAudit
from actors.resources.members import MemberRole
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.personal import Personal
from storage.readers import rows
from storage.resources.audit.chain import CHAINED, CHANGE, GENESIS, ORIGIN, entry_hash, new_salt, seal
from storage.schema import check as schema_check
from storage.schema.identity_models import Audit

logger = logging.getLogger("storage.audit")

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
    about: str | None = None,
) -> None:
    """`about`: the user that `before` and `after` describe, where that is not the target."""
    where = origin or TERMINAL
    salts, change = (new_salt(), new_salt()), (_json(before), _json(after))
    came_from = (where.address, where.user_agent, where.correlation_id)
    if about is None and target[0] == "user":
        about = target[1] or None
    chained = (
        new_id(), tx.now, actor_id, credential, action, *target, outcome, reason, about, seal(salts[0], came_from),
        seal(salts[1], change),
    )  # fmt: skip
    found = entry_hash(newest_hash(tx), chained)
    values = (*chained, *came_from, *change, *salts, found)
    written = _INSERT.execute(tx.database, **dict(zip(_NAMES, values, strict=True)))
    _must_be_there(tx, written.lastrowid, found)


_WRITTEN = (*CHAINED, *ORIGIN, *CHANGE, Audit.origin_salt, Audit.change_salt, Audit.hash)
_NAMES = tuple(field.name for field in _WRITTEN)
_INSERT = Prepared(lambda given: Audit.insert({field: getattr(given, field.name) for field in _WRITTEN}))
_NEWEST = Prepared(lambda _: Audit.select(Audit.id, Audit.hash).order_by(Audit.id.desc()).limit(1))


def _must_be_there(tx: Transaction, key: int, found: str) -> None:
    """An act is in the log, or it is not done: a trigger that nobody of ours has made may take the entry away again,
    at once or with what is written next."""
    if _NEWEST.first(tx.database) != (key, found) or not schema_check.is_ours(tx.database):
        logger.critical("an entry of the audit log was not kept: the database was changed outside the server")
        raise StorageUnavailable("The audit log cannot be written, so nothing was done; see the server's log.")


def forget(tx: Transaction, user_id: str) -> None:
    """Take what identifies a user out of the log: where they came from, and what was changed about them.

    The former hashes go from their first entry on: what was taken away could be guessed by them.
    """
    by_them = (Audit.actor_id == user_id) | (Audit.actor_id.is_null() & (Audit.about_id == user_id))
    about_them = Audit.about_id == user_id
    first = rows.first(tx.database, Audit.select(Audit.id).where(by_them | about_them).order_by(Audit.id))
    if first is None:
        return
    tx.execute(Audit.update(address="", user_agent="", correlation_id="", origin_salt=None).where(by_them))
    tx.execute(Audit.update(before=None, after=None, change_salt=None).where(about_them))
    tx.execute(Audit.update(former_hash=None).where((Audit.id >= first[0]) & Audit.former_hash.is_null(False)))


def act(
    tx: Transaction,
    command: Command[Any],
    action: str,
    target: tuple[str, str],
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    about: str | None = None,
) -> None:
    """An act of a user, by a command."""
    note(
        tx, action, target, actor_id=command.identity.user.id, credential=credential_of(command), origin=command.origin,
        before=before, after=after, about=about,
    )  # fmt: skip


def intervene(
    tx: Transaction,
    command: ThreadCommand[Any],
    role: MemberRole | None,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    is_own: bool = False,
) -> None:
    """An act of an administrator in a thread of others; `is_own`: about themselves,
    which every member may."""
    if role != "OWNER" and not (is_own and role is not None):
        act(tx, command, action, ("thread", command.thread_id), before, after)


def difference(before: Any, after: Any, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Those of the named fields in which two records differ, as they were and as they are."""
    changed = [name for name in names if getattr(before, name) != getattr(after, name)]
    return {name: getattr(before, name) for name in changed}, {name: getattr(after, name) for name in changed}


def credential_of(command: Command[Any]) -> str:
    return "terminal" if command.origin is None else command.identity.credential


def newest_hash(tx: Transaction) -> str:
    row = _NEWEST.first(tx.database)
    return str(row[1]) if row else GENESIS


@writes(NoteForAudit)
def note_for_audit(tx: Transaction, command: NoteForAudit) -> Done[None]:
    note(
        tx, command.action, (command.target_kind, command.target_id), actor_id=command.actor_id,
        credential=command.credential, origin=command.origin, outcome=command.outcome, reason=command.reason,
    )  # fmt: skip
    return Done(None)


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


PERSONAL = (
    Personal(
        Audit.actor_id, kept="entries outlive their user; what describes a person in them is erased",
        withheld="administrators read the audit log",
    ),
    Personal(Audit.about_id, kept="what describes the person is erased", withheld="administrators read the audit log"),
)  # fmt: skip
