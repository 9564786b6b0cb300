"""The audit log is a chain: whatever is changed, taken out, put in or moved past the server shows."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from peewee import IntegrityError

from actors import commands
from storage.audit_chain import CHAINED, GENESIS, entry_hash
from storage.identity_models import Audit
from storage.maintenance import integrity
from storage.reading import audit
from tests.builders import Ledger

ENTRIES = 5
COLUMNS = [field.name for field in Audit._meta.sorted_fields if field.name != "id"]


@pytest.fixture(autouse=True)
def some(ledger: Ledger) -> None:
    """Entries with everything that an entry can have."""
    root = ledger.admin("root")
    for number in range(ENTRIES - 1):
        made = commands.CreateUser(identity=root, email=f"{number}@example.com", name="Ana")
        ledger.do(made)
    user = ledger.user("bo").user
    ledger.do(commands.UpdateUser(identity=root, user_id=user.id, role="ADMIN"))


def rows(ledger: Ledger) -> list[tuple[Any, ...]]:
    names = ", ".join(field.column_name for field in CHAINED)
    return ledger.sql(f"SELECT hash, {names} FROM audit ORDER BY id")


def shows(ledger: Ledger) -> bool:
    """By `xp audit verify`, and the same by `xp db check`."""
    is_broken = ledger.ask(audit.verify).broken_at is not None
    found = [name for name, finding in ledger.ask(lambda database: list(integrity.check(database))) if finding]
    assert ("the audit log" in found) == is_broken
    return is_broken


def test_the_formula_is_the_documented_one(ledger: Ledger) -> None:
    """Whoever has the rows needs nothing of ours to verify them."""
    previous = ""
    for found, *values in rows(ledger):
        text = json.dumps([previous, *values], separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert found == previous
    assert ledger.ask(audit.verify) == audit.Verdict(ENTRIES, previous, None)
    assert not shows(ledger)


def test_every_column_is_covered() -> None:
    assert {field.name for field in CHAINED} == {*COLUMNS} - {"hash"}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("entry", [1, 3, ENTRIES])
def test_any_column_of_any_entry(column: str, entry: int, ledger: Ledger) -> None:
    """Another value, and none where there was one, or one where there was none."""
    (before,) = ledger.sql(f'SELECT "{column}" FROM audit WHERE id = ?', entry)[0]
    others: list[Any] = [None, "", 0, b"\xff", f"{before}x"]
    if column == "at":
        others = [None, before + 1, -before, f"{before}.5", b"\xff"]
    elif column == "outcome":
        others = [None, "refused"]
    tried = 0
    for value in others:
        try:
            ledger.sql(f'UPDATE audit SET "{column}" = ? WHERE id = ?', value, entry)
        except IntegrityError:  # no column takes just anything
            continue
        tried += value != before
        assert shows(ledger) == (value != before), value
        ledger.sql(f'UPDATE audit SET "{column}" = ? WHERE id = ?', before, entry)
        assert not shows(ledger)
    assert tried


def forged(ledger: Ledger, after: int, *, at: int, chained: bool) -> None:
    """Another entry after one that is there; with a hash that follows from it, or a copy's."""
    previous, *values = rows(ledger)[after - 1]
    values[0] = "c" + "0" * 24
    names = ", ".join(["id", "hash", *(field.column_name for field in CHAINED)])
    marks = ", ".join("?" * (len(values) + 2))
    found = entry_hash(previous, values) if chained else previous
    ledger.sql(f"INSERT INTO audit ({names}) VALUES ({marks})", at, found, *values)


def move(ledger: Ledger, one: int, other: int) -> None:
    for source, target in ((one, -1), (other, one), (-1, other)):
        ledger.sql("UPDATE audit SET id = ? WHERE id = ?", target, source)


def make_room(ledger: Ledger, after: int) -> None:
    for entry in range(ENTRIES, after, -1):
        ledger.sql("UPDATE audit SET id = id + 1 WHERE id = ?", entry)


def put_in(after: int, *, chained: bool) -> Callable[[Ledger], None]:
    def tamper(ledger: Ledger) -> None:
        make_room(ledger, after)
        forged(ledger, after, at=after + 1, chained=chained)

    return tamper


def copy_values(ledger: Ledger) -> None:
    """All of one entry's values into another, but for its own id."""
    names = [field.column_name for field in CHAINED if field.name != "uid"]
    for name in [*names, "hash"]:
        ledger.sql(f'UPDATE audit SET "{name}" = (SELECT "{name}" FROM audit WHERE id = 2) WHERE id = 3')


def rewrite_one(ledger: Ledger) -> None:
    """With a new hash of its own that follows from the one before: then the next one does not."""
    previous = rows(ledger)[1][0]
    ledger.sql("UPDATE audit SET reason = 'none' WHERE id = 3")
    ledger.sql("UPDATE audit SET hash = ? WHERE id = 3", entry_hash(previous, rows(ledger)[2][1:]))


def without(entry: int) -> Callable[[Ledger], Any]:
    return lambda ledger: ledger.sql("DELETE FROM audit WHERE id = ?", entry)


def swapped(entry: int) -> Callable[[Ledger], Any]:
    return lambda ledger: move(ledger, entry, entry + 1)


TAMPERINGS: dict[str, Callable[[Ledger], Any]] = {
    **{f"without {n}": without(n) for n in range(1, ENTRIES)},
    **{f"{n} and the next": swapped(n) for n in range(1, ENTRIES)},
    "the first and the last": lambda ledger: move(ledger, 1, ENTRIES),
    "one put in": put_in(2, chained=True),
    "a copy put in": put_in(3, chained=False),
    "one put in before the first": lambda ledger: forged(ledger, 1, at=-1, chained=True),
    "the values of another": copy_values,
    "written anew": rewrite_one,
    "all but the last": lambda ledger: ledger.sql("DELETE FROM audit WHERE id < ?", ENTRIES),
    "a copy at the end": lambda ledger: forged(ledger, ENTRIES, at=ENTRIES + 1, chained=False),
}  # fmt: skip


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_whatever_else_is_done_to_it(tampering: str, ledger: Ledger) -> None:
    TAMPERINGS[tampering](ledger)
    assert shows(ledger)


def test_what_only_a_noted_head_shows(ledger: Ledger) -> None:
    """Whoever may write the file can cut off its end, or write all of it anew; and no chain shows that by itself."""
    noted = ledger.ask(audit.verify).head
    ledger.sql("DELETE FROM audit WHERE id = ?", ENTRIES)
    assert not shows(ledger)
    assert not ledger.ask(audit.has, noted)
    noted, previous = ledger.ask(audit.verify).head, GENESIS
    ledger.sql("UPDATE audit SET action = 'nothing' WHERE id = 2")
    for entry, (_, *values) in enumerate(rows(ledger), 1):
        previous = entry_hash(previous, values)
        ledger.sql("UPDATE audit SET hash = ? WHERE id = ?", previous, entry)
    assert not shows(ledger)
    assert not ledger.ask(audit.has, noted)
    assert ledger.ask(audit.has, previous)
