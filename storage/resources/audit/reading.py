"""The audit log, read back and verified."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import JOIN, SqliteDatabase, fn

from actors import limits
from actors.page import Page
from actors.resources.audit import AuditEntry, ListAuditEntries
from storage.readers import rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.audit import removal
from storage.resources.audit.chain import CHAINED, CHANGE, FORMER, ORIGIN, SEALED, entry_hash, seal
from storage.resources.audit.removal import BEGINNING, Removal
from storage.schema.identity_models import Audit
from storage.schema.models import User


@answers(ListAuditEntries)
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
    """That are there; where it is broken, as far as they were looked at."""
    head: str
    """Hash of the newest entry; note it elsewhere, and what is cut off at the end shows too."""
    broken_at: str | None
    """Id of the first entry that does not follow from the one before it."""
    removal: Removal = BEGINNING
    """What retention has removed before them."""

    @property
    def number(self) -> int:
        """Of the newest entry that was looked at, counted from the beginning of the log."""
        return self.removal.entries + self.entries


def verify(database: SqliteDatabase) -> Verdict:
    """Walk the whole chain, from where retention has let it begin. The connection reads one moment: a removal in
    between would look like a cut."""
    removed = removal.newest(database)
    walk = _Walk(removed)
    for row in _walk(database, _as_stored):
        if not walk.follows(row):
            return Verdict(walk.count, str(row[2]), str(row[_AT[Audit.uid]]), removed)
    missing = walk.first_missing()
    if missing is not None:
        return Verdict(*missing, removed)
    return Verdict(walk.count, walk.previous, None, removed)


def broken_until(database: SqliteDatabase, last: int) -> str | None:
    """Id of the first entry that does not follow from the one before it, up to the one with the key `last`; None where
    all do."""
    walk = _Walk(removal.newest(database))
    for row in _walk(database, _as_stored, last):
        if not walk.follows(row):
            return str(row[_AT[Audit.uid]])
    deleted = Audit.select(Audit.target_id).where((Audit.action == "delete_user") & (Audit.outcome == "done"))
    walk.erased |= {user_id for (user_id,) in rows.fetch(database, deleted.where(Audit.target_id.in_(walk.lacking)))}
    missing = walk.first_missing()
    return None if missing is None else missing[2]


class _Walk:
    """Entry after entry, the oldest first."""

    def __init__(self, removed: Removal) -> None:
        self.count = 0
        self.previous = removed.hash
        self._former = removed.former_hash
        """The former hash of the entry before; None once one has none."""
        self._missing: dict[Any, tuple[int, str, str]] = {}
        """Whose values are not there, and the first entry that lacks them: number, hash, id."""
        self.erased: set[Any] = set()
        """Users that were deleted according to the chain itself."""

    def follows(self, row: Sequence[Any]) -> bool:
        self.count += 1
        try:
            is_right = self._is_right(row)
        except TypeError:  # bytes where there was text: nothing that was ever written here
            return False
        self.previous = row[2]
        return is_right

    def _is_right(self, row: Sequence[Any]) -> bool:
        entry = {field: row[at] for field, at in _AT.items()}
        if entry[Audit.action] == "delete_user" and entry[Audit.outcome] == "done":
            self.erased.add(entry[Audit.target_id])
        about = entry[Audit.about_id]
        return (
            entry_hash(self.previous, [entry[field] for field in CHAINED]) == row[2]
            and self._is_sealed(row, entry, ORIGIN, entry[Audit.actor_id] or about)
            and self._is_sealed(row, entry, CHANGE, about)
            and self._was(entry)
        )

    def _is_sealed(self, row: Sequence[Any], entry: dict[Any, Any], part: tuple[Any, ...], whose: Any) -> bool:
        """Or erased, which only values of a user can be."""
        salt, sealed = (entry[field] for field in SEALED[part])
        values = [entry[field] for field in part]
        if salt is not None:
            return bool(seal(salt, values) == sealed)
        if any(value not in ("", None) for value in values):
            return False
        if whose is not None:
            self._missing.setdefault(whose, (self.count, str(row[2]), str(entry[Audit.uid])))
        return whose is not None

    def _was(self, entry: dict[Any, Any]) -> bool:
        """An entry from before there were seals has the hash that it had then."""
        before, self._former = self._former, entry[Audit.former_hash]
        if self._former is None:
            return True
        return before is not None and entry_hash(before, [entry[field] for field in FORMER]) == self._former

    def first_missing(self) -> tuple[int, str, str] | None:
        """The first entry whose values were removed although their user was not erased."""
        return min((at for whose, at in self._missing.items() if whose not in self.erased), default=None)

    @property
    def lacking(self) -> list[Any]:
        """Users whose values were removed."""
        return [*self._missing]


def _as_stored(database: SqliteDatabase, query: Any) -> list[tuple[Any, ...]]:
    """Rows without what Peewee makes of a value that is of another type than its column."""
    return list(database.execute_sql(*query.bind(database).sql()))


def has(database: SqliteDatabase, noted: str) -> bool:
    """Whether a head that was noted earlier is still in the log. In a chain that verifies, nothing up to it changed."""
    return place_of(database, noted) is not None


def place_of(database: SqliteDatabase, noted: str) -> int | None:
    """Of the entry with this hash among those that are there, the oldest being 1; None where none has it."""
    known = (Audit.hash == noted) | (Audit.former_hash == noted)
    found = rows.first(database, Audit.select(Audit.id).where(known))
    if found is None:
        return None
    counted = rows.first(database, Audit.select(fn.COUNT(Audit.id)).where(Audit.id <= found[0]))
    return int(counted[0]) if counted else None


def _walk(
    database: SqliteDatabase, fetch: Callable[[SqliteDatabase, Any], list[Any]], last: int | None = None
) -> Iterator[tuple[Any, ...]]:
    """Every row, with any key it may have been given; up to the one with the key `last`."""
    query = _entries_query().order_by(Audit.id).limit(limits.AUDIT_ENTRIES)
    if last is not None:
        query = query.where(Audit.id <= last)
    found = fetch(database, query)
    while found:
        yield from found
        found = fetch(database, query.where(Audit.id > found[-1][0]))


def _entries_query() -> Any:
    return Audit.select(Audit.id, User.name, Audit.hash, *_READ).join(
        User, JOIN.LEFT_OUTER, on=(Audit.actor_id == User.uid)
    )


_READ: tuple[Any, ...] = (
    *FORMER, Audit.about_id, Audit.origin_salt, Audit.origin_seal, Audit.change_salt, Audit.change_seal,
    Audit.former_hash,
)  # fmt: skip
_AT = {field: at for at, field in enumerate(_READ, 3)}
"""Where each of them stands in a row."""


def _entry_of(row: Sequence[Any]) -> AuditEntry:
    entry = {field.name: row[at] for field, at in _AT.items() if field is not Audit.former_hash}
    entry["id"] = entry.pop("uid")
    return AuditEntry(**entry, actor_name=row[1] or "", hash=row[2])
