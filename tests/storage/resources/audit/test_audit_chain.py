"""The audit log is a chain: whatever is changed, taken out, put in or moved past the server shows."""

import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from peewee import IntegrityError

from actors.auth.identity import Origin
from actors.errors import StorageUnavailable
from actors.resources.audit import NoteForAudit
from actors.resources.users import CreateUser, DeleteUser, UpdateUser
from storage.maintenance import integrity
from storage.resources.audit import reading as audit
from storage.resources.audit.chain import CHAINED, CHANGE, FORMER, GENESIS, ORIGIN, SEALED, entry_hash
from storage.schema import check as schema_check
from storage.schema import migrating as schema
from storage.schema.identity_models import Audit
from tests.builders import Ledger

ENTRIES = 5
COLUMNS = [field.name for field in Audit._meta.sorted_fields if field.name != "id"]


@pytest.fixture(autouse=True)
def some(ledger: Ledger) -> None:
    """Entries with everything that an entry can have."""
    root = ledger.admin("root")
    for number in range(ENTRIES - 1):
        made = CreateUser(identity=root, email=f"{number}@example.com", name="Ana")
        ledger.do(made)
    user = ledger.user("bo").user
    ledger.do(UpdateUser(identity=root, user_id=user.id, role="ADMIN"))


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
        previous = hashlib.sha256(as_json([previous, *values])).hexdigest()
        assert found == previous
    sealed = "origin_salt, origin_seal, address, user_agent, correlation_id, change_salt, change_seal, before, after"
    for salt, seal, address, agent, correlation, other, another, before, after in ledger.sql(
        f"SELECT {sealed} FROM audit"
    ):
        assert seal == hmac.new(salt, as_json([address, agent, correlation]), "sha256").hexdigest()
        assert another == hmac.new(other, as_json([before, after]), "sha256").hexdigest()
    assert ledger.ask(audit.verify) == audit.Verdict(ENTRIES, previous, None)
    assert not shows(ledger)


def test_every_column_is_covered() -> None:
    chained = {field.name for field in (*CHAINED, *ORIGIN, *CHANGE, *itertools.chain(*SEALED.values()))}
    assert chained == {*COLUMNS} - {"hash", "former_hash"}


def as_json(values: list[Any]) -> bytes:
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()


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
    others = [name for name in COLUMNS if name not in names]
    copied = ", ".join(f'"{name}"' for name in others)
    ledger.sql(
        f"INSERT INTO audit ({names}, {copied}) SELECT {marks}, {copied} FROM audit WHERE id = ?",
        at, found, *values, after,
    )  # fmt: skip


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
    for name in [name for name in COLUMNS if name != "uid"]:
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


# Erasure


def erase(ledger: Ledger, user_id: str) -> None:
    ledger.do(DeleteUser(identity=ledger.admin("root"), user_id=user_id))


def test_what_identifies_somebody_goes_and_the_chain_stays(ledger: Ledger) -> None:
    head = ledger.ask(audit.verify).head
    hashes = [found for found, *_ in rows(ledger)]
    erased = ledger.one("SELECT target_id FROM audit WHERE id = 2")
    assert "1@example.com" in ledger.one("SELECT after FROM audit WHERE id = 2")
    erase(ledger, erased)
    assert ledger.sql("SELECT before, after, change_salt FROM audit WHERE id = 2") == [(None, None, None)]
    assert "0@example.com" in ledger.one("SELECT after FROM audit WHERE id = 1"), "of others nothing goes"
    assert [found for found, *_ in rows(ledger)][:ENTRIES] == hashes
    assert ledger.ask(audit.has, head)
    assert not shows(ledger)
    listed = ledger.ask(audit.page, limit=10, before=None, target_id=erased).items
    assert [(entry.action, entry.after) for entry in listed] == [
        ("delete_user", '{"content":"anonymise"}'), ("create_user", None),
    ]  # fmt: skip


def test_where_an_erased_actor_came_from_goes_too(ledger: Ledger) -> None:
    ana = ledger.user("ana", role="ADMIN")
    origin = Origin("198.51.100.7", "AnasBrowser/1.0", "anas-request")
    ledger.do(CreateUser(identity=ana, email="x@example.com", name="X", origin=origin))
    refused = NoteForAudit(
        action="sign_in", origin=origin, target_kind="user", target_id=ana.user.id, outcome="refused"
    )
    ledger.do(refused)
    ledger.do(NoteForAudit(action="sign_in", origin=origin, outcome="refused"))
    erase(ledger, ana.user.id)
    kept = ledger.sql("SELECT address, user_agent, correlation_id FROM audit WHERE id > ? ORDER BY id", ENTRIES)
    nothing = ("", "", "")
    assert kept == [nothing, nothing, (origin.address, origin.user_agent, origin.correlation_id), nothing]
    assert "x@example.com" in ledger.one("SELECT after FROM audit WHERE id = ?", ENTRIES + 1), "it is not about them"
    assert not shows(ledger)


def test_an_erasure_that_nobody_has_made_shows(ledger: Ledger) -> None:
    """Whoever takes values and salt away makes it look like an erasure; the chain itself has none of that user."""
    ledger.sql("UPDATE audit SET before = NULL, after = NULL, change_salt = NULL WHERE id = 3")
    assert ledger.ask(audit.verify).broken_at == ledger.one("SELECT uid FROM audit WHERE id = 3")
    erase(ledger, ledger.one("SELECT target_id FROM audit WHERE id = 4"))
    assert shows(ledger), "an erasure of another covers it not"


def test_what_was_erased_cannot_be_filled_in_again(ledger: Ledger) -> None:
    erase(ledger, ledger.one("SELECT target_id FROM audit WHERE id = 2"))
    for statement in (
        "UPDATE audit SET after = '{}' WHERE id = 2",
        "UPDATE audit SET change_salt = zeroblob(32) WHERE id = 2",
    ):
        before = ledger.sql("SELECT after, change_salt FROM audit WHERE id = 2")[0]
        ledger.sql(statement)
        assert shows(ledger)
        ledger.sql("UPDATE audit SET after = ?, change_salt = ? WHERE id = 2", *before)
        assert not shows(ledger)


# What was written before there were seals


def as_before(ledger: Ledger) -> list[str]:
    """The log as the versions before have written it; answers its hashes."""
    schema.runner(ledger.store.database).down(target="0009_audit_seals")
    return [found for (found,) in ledger.sql("SELECT hash FROM audit ORDER BY id")]


def test_an_old_log_is_chained_anew_and_says_so(ledger: Ledger) -> None:
    before = as_before(ledger)
    schema.migrate(ledger.store.database, ledger.path)
    assert ledger.sql("SELECT action, after FROM audit ORDER BY id DESC LIMIT 1") == [
        ("seal_audit", f'{{"entries":{ENTRIES}}}')
    ]
    assert not shows(ledger)
    for noted in before:
        assert ledger.ask(audit.has, noted), "a head that was noted then is found"
    assert [found for (found,) in ledger.sql("SELECT former_hash FROM audit ORDER BY id")] == [*before, None]
    ledger.do(CreateUser(identity=ledger.admin("root"), email="new@example.com", name="New"))
    assert not shows(ledger)
    ledger.sql("UPDATE audit SET former_hash = ? WHERE id = 2", "0" * 64)
    assert shows(ledger)


def test_an_empty_log_says_nothing(ledger: Ledger) -> None:
    ledger.sql("DELETE FROM audit")
    as_before(ledger)
    schema.migrate(ledger.store.database, ledger.path)
    assert ledger.one("SELECT count(*) FROM audit") == 0


@pytest.mark.parametrize("entry", [1, 3, ENTRIES])
def test_an_old_log_that_was_broken_stays_so(entry: int, ledger: Ledger) -> None:
    as_before(ledger)
    ledger.sql("UPDATE audit SET reason = 'another' WHERE id = ?", entry)
    schema.migrate(ledger.store.database, ledger.path)
    assert ledger.ask(audit.verify).broken_at == ledger.one("SELECT uid FROM audit WHERE id = ?", entry)


def test_who_was_erased_by_a_version_before_is_forgotten_now(ledger: Ledger) -> None:
    """And no former hash is left by which it could be guessed."""
    erased = ledger.one("SELECT target_id FROM audit WHERE id = 2")
    told = ledger.one("SELECT after FROM audit WHERE id = 2")
    erase(ledger, erased)
    as_before(ledger)
    ledger.sql("UPDATE audit SET after = ? WHERE id = 2", told)
    previous = GENESIS
    names = ", ".join(f'"{field.column_name}"' for field in FORMER)
    for key, *values in ledger.sql(f"SELECT id, {names} FROM audit ORDER BY id"):
        previous = entry_hash(previous, values)
        ledger.sql("UPDATE audit SET hash = ? WHERE id = ?", previous, key)
    schema.migrate(ledger.store.database, ledger.path)
    assert ledger.sql("SELECT before, after, change_salt FROM audit WHERE id = 2") == [(None, None, None)]
    assert not shows(ledger)
    former = [found is not None for (found,) in ledger.sql("SELECT former_hash FROM audit ORDER BY id")]
    assert former == [True] + [False] * (len(former) - 1)
    assert ledger.one("SELECT after FROM audit WHERE action = 'delete_user'") == '{"content":"anonymise"}'


# What takes entries away


@pytest.mark.parametrize(
    "trigger",
    [
        "BEFORE INSERT ON audit BEGIN SELECT RAISE(IGNORE); END",
        "AFTER INSERT ON audit BEGIN DELETE FROM audit WHERE id = NEW.id; END",
        "AFTER INSERT ON audit BEGIN UPDATE audit SET hash = 'x' WHERE id = NEW.id; END",
    ],
)
def test_an_act_whose_entry_is_swallowed_is_not_done(trigger: str, ledger: Ledger) -> None:
    root = ledger.refreshed(ledger.admin("root"))
    ledger.sql(f"CREATE TRIGGER swallow {trigger}")
    schema_check._SEEN.clear()  # what is looked at here is the entry itself
    with pytest.raises(StorageUnavailable, match="audit log cannot be written"):
        ledger.do(CreateUser(identity=root, email="new@example.com", name="New"))
    assert ledger.one("SELECT count(*) FROM user WHERE email = 'new@example.com'") == 0
