"""The audit log from its beginning: entries that are old enough go, the oldest first, so that what is left is still a
chain. Each step is an entry of the log itself; see `storage/resources/audit/removal.py`.

An entry about a held thread or a held user stays, and all that follow it.
"""

from collections.abc import Iterator
from itertools import takewhile
from typing import Any, Final

from peewee import SqliteDatabase, fn

from actors.errors import Conflict
from actors.outcomes import Done
from actors.resources.retention import DAY_MS, Outdated, OutdatedPage, RemoveOutdated
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.resources.audit import reading, removal, writing
from storage.resources.holds.protection import is_file_held, is_thread_held
from storage.resources.retention.rule import OutdatedRule
from storage.schema import artifact_models, file_models, models
from storage.schema.hold_models import LegalHold
from storage.schema.identity_models import Audit

_A, _F, _M, _T, _U = artifact_models.Artifact, file_models.File, models.Message, models.Thread, models.User
_TEXTS = (
    Audit.credential, Audit.address, Audit.user_agent, Audit.correlation_id, Audit.action, Audit.target_kind,
    Audit.target_id, Audit.reason, Audit.before, Audit.after, Audit.hash, Audit.origin_seal, Audit.change_seal,
)  # fmt: skip


def _find(database: SqliteDatabase, before: int, after: int, limit: int) -> OutdatedPage:
    """The first entry that stays ends it."""
    looked_at = rows.fetch(database, _entries().where(Audit.id > after).limit(limit))
    found = tuple(Outdated(key, 1, size) for key, size, _ in _outdated(looked_at, before))
    return OutdatedPage(found, found[-1].key if found and len(found) == limit else None)


def _entries() -> Any:
    """The oldest first."""
    size: Any = sum((fn.LENGTH(fn.COALESCE(text, "").cast("BLOB")) for text in _TEXTS[1:]), fn.LENGTH(_TEXTS[0]))
    is_held = fn.EXISTS(LegalHold.select(LegalHold.id)) & (_is_of_held_user() | _is_in_held_thread())
    return Audit.select(Audit.id, size, Audit.at, is_held).order_by(Audit.id)


def _is_of_held_user() -> Any:
    held = LegalHold.select(_U.uid).join(_U, on=(LegalHold.user == _U.id))
    return Audit.actor_id.in_(held) | Audit.about_id.in_(held) | Audit.target_id.in_(held)


def _is_in_held_thread() -> Any:
    """Ids are of one object only, so that its kind need not be asked."""
    parts = (
        _T.select(_T.id).where((_T.uid == Audit.target_id) & is_thread_held(_T.id)),
        _F.select(_F.id).where((_F.uid == Audit.target_id) & is_file_held(_F.owner, _F.thread)),
        _A.select(_A.id).where((_A.uid == Audit.target_id) & is_thread_held(_A.thread)),
        _M.select(_M.id).where((_M.uid == Audit.target_id) & is_thread_held(_M.thread)),
    )
    found: Any = fn.EXISTS(parts[0])
    for part in parts[1:]:
        found |= fn.EXISTS(part)
    return found


def _outdated(entries: list[tuple[Any, ...]], before: int) -> Iterator[tuple[int, int, int]]:
    """(key, size, time) of those that go. Whole days count (UTC), so that no more than one run a day finds something:
    each is an entry, too."""
    first_kept = before - before % DAY_MS
    for key, size, at, _ in takewhile(lambda entry: entry[2] < first_kept and not entry[3], entries):
        yield key, size, at


def _remove(tx: Transaction, command: RemoveOutdated) -> Done[tuple[int, ...]]:
    """Only what is still the beginning of the log."""
    keys = frozenset(command.keys)
    oldest = rows.fetch(tx.database, _entries().limit(len(keys)))
    found = [*takewhile(lambda entry: entry[0] in keys, _outdated(oldest, command.before))]
    if not found:
        return Done(())
    last, _, until = found[-1]
    _must_follow(tx.database, last)
    ((found_hash, former_hash),) = rows.fetch(
        tx.database, Audit.select(Audit.hash, Audit.former_hash).where(Audit.id == last)
    )
    total = removal.newest(tx.database).entries + len(found)
    gone = removal.Removal(total, found_hash, former_hash, until)
    identity = command.identity
    writing.note(  # before they go: it is chained to the newest entry, which may be one of them
        tx, removal.ACTION, ("audit", ""), actor_id=identity.user.id, credential=identity.credential,
        after=gone.facts(),
    )  # fmt: skip
    tx.execute(Audit.delete().where(Audit.id <= last))
    return Done(tuple(key for key, *_ in found))


def _must_follow(database: SqliteDatabase, last: int) -> None:
    """What shows that the log was tampered with does not go by itself."""
    broken_at = reading.broken_until(database, last)
    if broken_at is not None:
        raise Conflict(
            f"Entry {broken_at} of the audit log does not follow from the one before it, so AUDIT_DAYS removes nothing "
            "from there on: something was changed. See `xp audit verify`, and compare with a backup."
        )


OUTDATED: Final = {"audit_entries": OutdatedRule(_find, _remove)}
