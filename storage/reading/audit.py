"""The audit log, read back and verified."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import JOIN, SqliteDatabase

from actors.accounts import AuditEntry
from actors.records import Page
from storage import rows, weight
from storage.audit_chain import CHAINED, GENESIS, entry_hash
from storage.identity_models import Audit
from storage.models import User
from storage.paging import page_of

AT_ONCE = 500


def page(
    database: SqliteDatabase,
    *,
    limit: int,
    before: int | None,
    actor_id: str | None = None,
    target_id: str | None = None,
    action: str | None = None,
) -> Page[AuditEntry]:
    """Entries, the newest first."""
    query = _entries_query()
    wanted = ((Audit.actor_id, actor_id), (Audit.target_id, target_id), (Audit.action, action))
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(Audit.id < before)
    found = rows.iterate(database, query.order_by(Audit.id.desc()).limit(limit + 1))
    keyed, more = page_of(found, limit, lambda part: [(row[0], _entry_of(row)) for row in part], _weigh)
    return Page(tuple(entry for _, entry in keyed), str(keyed[-1][0]) if more else None)


def _weigh(keyed: tuple[int, AuditEntry]) -> int:
    return weight.audit_entry(keyed[1])


def oldest_first(database: SqliteDatabase) -> Iterator[AuditEntry]:
    return map(_entry_of, _walk(database, rows.fetch))


@dataclass(frozen=True, slots=True)
class Verdict:
    entries: int
    head: str
    """Hash of the newest entry; note it elsewhere, and what is cut off at the end shows too."""
    broken_at: str | None
    """Id of the first entry that does not follow from the one before it."""


def verify(database: SqliteDatabase) -> Verdict:
    """Walk the whole chain."""
    previous, count = GENESIS, 0
    for _, _, found, *chained in _walk(database, _as_stored):
        count += 1
        if not _follows(previous, chained, found):
            return Verdict(count, str(found), str(chained[0]))
        previous = found
    return Verdict(count, previous, None)


def _follows(previous: str, chained: Sequence[Any], found: Any) -> bool:
    try:
        return bool(entry_hash(previous, chained) == found)
    except TypeError:  # bytes where there was text: nothing that was ever written here
        return False


def _as_stored(database: SqliteDatabase, query: Any) -> list[tuple[Any, ...]]:
    """Rows without what Peewee makes of a value that is of another type than its column."""
    return list(database.execute_sql(*query.bind(database).sql()))


def has(database: SqliteDatabase, noted: str) -> bool:
    """Whether a head that was noted earlier is still in the log. In a chain that verifies, nothing up to it changed."""
    return rows.first(database, Audit.select(Audit.id).where(Audit.hash == noted).limit(1)) is not None


def _walk(database: SqliteDatabase, fetch: Callable[[SqliteDatabase, Any], list[Any]]) -> Iterator[tuple[Any, ...]]:
    """Every row, whatever key somebody has given it."""
    query = _entries_query().order_by(Audit.id).limit(AT_ONCE)
    found = fetch(database, query)
    while found:
        yield from found
        found = fetch(database, query.where(Audit.id > found[-1][0]))


def _entries_query() -> Any:
    return Audit.select(Audit.id, User.name, Audit.hash, *CHAINED).join(
        User, JOIN.LEFT_OUTER, on=(Audit.actor_id == User.uid)
    )


def _entry_of(row: Sequence[Any]) -> AuditEntry:
    uid, at, actor_id, credential, address, agent, correlation, action, kind, target, outcome, reason, before, after = (
        row[3:]
    )
    return AuditEntry(
        id=uid, at=at, actor_id=actor_id, actor_name=row[1] or "", credential=credential, address=address,
        user_agent=agent, correlation_id=correlation, action=action, target_kind=kind, target_id=target,
        outcome=outcome, reason=reason, before=before, after=after, hash=row[2],
    )  # fmt: skip
