"""The audit log goes from its beginning, and what is left is a chain that verifies; all else that is cut off shows."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from actors.auth.identity import Identity, Origin
from actors.errors import Conflict
from actors.resources.audit import NoteForAudit
from actors.resources.holds import AddHold, HoldKind, RemoveHold
from actors.resources.retention import ListOutdated, ListRetentionRuns, Tally
from actors.resources.users import CreateUser, DeleteUser
from storage.readers.answers import answer
from storage.resources.audit import noted_head, removal
from storage.resources.audit import reading as audit
from storage.resources.audit.chain import CHAINED, entry_hash, seal
from storage.resources.audit.noted_head import NotedHead
from storage.schema import migrating as schema
from tests.builders import Ledger
from tests.storage.resources.artifacts.desk import Desk
from tests.storage.resources.files.shelf import Shelf
from tests.storage.resources.retention.aging import applied, days_ago
from tests.storage.test_integrity import findings

YEAR = 365
OLD, NEW = 5, 3


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.HOUSEKEEPING_PAUSE_SECONDS", 0)


@pytest.fixture
def aged(ledger: Ledger, root: Identity) -> None:
    """Five entries from before the year, three from within."""
    with days_ago(400):
        made(ledger, root, *(f"old{n}" for n in range(OLD)))
    made(ledger, root, *(f"new{n}" for n in range(NEW)))


def made(ledger: Ledger, root: Identity, *names: str) -> list[str]:
    """Users, and so an entry about each."""
    return [
        ledger.do(CreateUser(identity=root, email=f"{name}@example.com", name=name)).result.id for name in names
    ]  # fmt: skip


def noted(ledger: Ledger, **fields: Any) -> None:
    ledger.do(NoteForAudit(**{"action": "sign_in", "origin": Origin("10.0.0.9", "Firefox", "c1")} | fields))


def pruned(ledger: Ledger, **more: Any) -> int:
    return applied(ledger, audit_entries=YEAR, **more)["audit_entries"].items


def verdict(ledger: Ledger) -> audit.Verdict:
    """Which `xp db check` must see in the same way."""
    found = ledger.ask(audit.verify)
    assert ("the audit log" in findings(ledger.path)) == (found.broken_at is not None)
    return found


def actions(ledger: Ledger) -> list[str]:
    return [action for (action,) in ledger.sql("SELECT action FROM audit ORDER BY id")]


def test_the_oldest_entries_go_and_the_rest_verifies(ledger: Ledger, aged: None) -> None:
    last = ledger.one("SELECT hash FROM audit WHERE id = ?", OLD)
    before = verdict(ledger)
    tally = applied(ledger, audit_entries=YEAR)["audit_entries"]
    assert (tally.items, tally.rows) == (OLD, OLD)
    assert tally.size > OLD * 300
    assert actions(ledger) == ["create_user"] * NEW + ["prune_audit"]
    found = verdict(ledger)
    assert (found.broken_at, found.entries, found.number) == (None, NEW + 1, before.number + 1)
    assert (found.removal.entries, found.removal.hash) == (OLD, last)
    assert [run.tally for run in ledger.ask(answer, ListRetentionRuns(10)).items] == [tally]
    assert ledger.sql("SELECT credential, outcome FROM audit ORDER BY id DESC LIMIT 1") == [("token:retention", "done")]
    assert findings(ledger.path) == {}


def test_without_the_rule_and_in_a_dry_run_nothing_goes(ledger: Ledger, aged: None) -> None:
    before = ledger.dump()
    applied(ledger, delete_threads=YEAR, dry_run=True)
    looked = applied(ledger, audit_entries=YEAR, dry_run=True)["audit_entries"]
    assert ledger.dump() == before
    assert (
        applied(ledger, audit_entries=YEAR)["audit_entries"] == looked == Tally("audit_entries", OLD, OLD, looked.size)
    )


def test_a_second_run_finds_nothing_and_writes_nothing(ledger: Ledger, aged: None) -> None:
    assert pruned(ledger) == OLD
    before = ledger.dump()
    assert pruned(ledger) == 0
    assert ledger.dump() == before


def test_whole_days_count_so_that_a_day_has_one_run(ledger: Ledger, root: Identity) -> None:
    with days_ago(YEAR):
        made(ledger, root, "that day")
    assert pruned(ledger) == 0, "the day has not passed"
    assert applied(ledger, audit_entries=YEAR - 1)["audit_entries"].items == 1


@pytest.mark.parametrize(("looked_at", "step"), [(1_000, 2), (2, 500), (3, 2)])
def test_it_goes_in_small_steps(
    ledger: Ledger, aged: None, monkeypatch: pytest.MonkeyPatch, looked_at: int, step: int
) -> None:
    monkeypatch.setattr("actors.limits.RETENTION_AUDIT_STEP", step)
    found = ledger.ask(audit.verify)

    def fewer(rule: Any, before: int, after: int) -> Any:
        return ListOutdated(rule, before, after, looked_at)

    monkeypatch.setattr("actors.journal.retention.ListOutdated", fewer)
    assert pruned(ledger) == OLD
    steps = actions(ledger).count("prune_audit")
    assert steps > 1, "each is an entry"
    assert verdict(ledger).number == found.number + steps


def test_steps_that_were_not_taken_are_taken_by_the_next_run(
    ledger: Ledger, aged: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after the end of the process between two of them: each is whole by itself."""
    monkeypatch.setattr("actors.limits.RETENTION_AUDIT_STEP", 2)

    async def end(_: float) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("actors.journal.retention.asyncio.sleep", end)
        with pytest.raises(SystemExit):
            pruned(ledger)
    assert actions(ledger).count("create_user") == OLD - 2 + NEW
    assert verdict(ledger).broken_at is None
    assert pruned(ledger) == OLD - 2
    assert verdict(ledger).removal.entries == OLD


def test_all_of_it_may_be_old_and_removals_too(ledger: Ledger, root: Identity) -> None:
    with days_ago(900):
        made(ledger, root, "a", "b")
    with days_ago(500):
        assert pruned(ledger) == 2
        assert verdict(ledger).entries == 1
    assert pruned(ledger) == 1, "the entry of the removal before"
    found = verdict(ledger)
    assert (found.broken_at, found.entries, found.removal.entries) == (None, 1, 3)
    made(ledger, root, "c")
    assert verdict(ledger).broken_at is None


# Legal holds


@pytest.mark.parametrize("concerns", ["actor", "about", "target", "thread", "message", "artifact", "file"])
def test_an_entry_that_concerns_what_is_held_stops_it(ledger: Ledger, root: Identity, concerns: str) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    message = ledger.post(ana, thread, "hello")
    fields: dict[str, dict[str, Any]] = {
        "actor": {"actor_id": ana.user.id},
        "about": {"target_kind": "user", "target_id": ana.user.id},
        "target": {"target_kind": "user", "target_id": ana.user.id, "outcome": "refused"},
        "thread": {"target_kind": "thread", "target_id": thread.id},
        "message": {"target_kind": "message", "target_id": message.id},
        "artifact": {"target_kind": "artifact", "target_id": Desk(ledger).create(ana, thread).id},
        "file": {"target_kind": "file", "target_id": Shelf(ledger).record(ana, thread).id},
    }
    with days_ago(400):
        noted(ledger)
        noted(ledger, **fields[concerns])
        noted(ledger)
    kind: HoldKind = "user" if concerns in ("actor", "about", "target") else "thread"
    target = ana.user.id if kind == "user" else thread.id
    hold = ledger.do(AddHold(identity=root, kind=kind, target_id=target, reason="case 17")).result
    assert pruned(ledger, dry_run=True) == 1
    assert pruned(ledger) == 1, "the one before"
    assert pruned(ledger) == 0
    ledger.do(RemoveHold(identity=root, hold_id=hold.id))
    assert pruned(ledger) == 2
    assert verdict(ledger).broken_at is None


# What was tampered with


def sql(text: str, *parameters: Any) -> Callable[[Ledger], Any]:
    return lambda ledger: ledger.sql(text, *parameters)


def forged(ledger: Ledger, entries: int, found_hash: str, *, chained: bool) -> None:
    """An entry at the end that says that so many were removed by the rule."""
    facts = removal.Removal(entries, found_hash, None, 1).facts()
    after = json.dumps(facts, separators=(",", ":"), sort_keys=True)
    names = ("uid", "at", "credential", "address", "user_agent", "correlation_id", "action", "target_kind", "target_id")
    values = ["forged", 2**40, "token:retention", "", "", "", "prune_audit", "audit", ""]
    salt = bytes(32)
    more = {
        **dict(zip(names, values, strict=True)), "outcome": "done", "reason": "", "after": after, "origin_salt": salt,
        "change_salt": salt, "origin_seal": seal(salt, ["", "", ""]), "change_seal": seal(salt, [None, after]),
        "hash": "0" * 64,
    }  # fmt: skip
    columns, marks = ", ".join(f'"{name}"' for name in more), ", ".join("?" * len(more))
    ledger.sql(f"INSERT INTO audit ({columns}) VALUES ({marks})", *more.values())
    if chained:
        previous = ledger.one("SELECT hash FROM audit ORDER BY id DESC LIMIT 1 OFFSET 1")
        chain = ", ".join(field.column_name for field in CHAINED)
        ((*values,),) = ledger.sql(f"SELECT {chain} FROM audit ORDER BY id DESC LIMIT 1")
        ledger.sql("UPDATE audit SET hash = ? WHERE uid = 'forged'", entry_hash(previous, values))


def cut_by_hand(ledger: Ledger, *, chained: bool | None = None) -> None:
    """The oldest entry that is left; where `chained` says so, with an entry that makes it look like the rule."""
    gone = ledger.one("SELECT hash FROM audit ORDER BY id LIMIT 1")
    ledger.sql("DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)")
    if chained is not None:
        forged(ledger, OLD + 1, gone, chained=chained)


def put_back(ledger: Ledger) -> None:
    """Another entry before the oldest."""
    ledger.sql("UPDATE audit SET id = -1 WHERE id = (SELECT max(id) FROM audit)")


NEWEST = "(SELECT max(id) FROM audit)"
TAMPERINGS: dict[str, Callable[[Ledger], Any]] = {
    "a row changed": sql("UPDATE audit SET reason = 'another' WHERE id = ?", OLD + 2),
    "a row cut in the middle": sql("DELETE FROM audit WHERE id = ?", OLD + 2),
    "the beginning cut by hand": cut_by_hand,
    "the beginning cut by hand, a removal written beside the chain": lambda ledger: cut_by_hand(ledger, chained=False),
    "the removal cut off": sql(f"DELETE FROM audit WHERE id = {NEWEST}"),
    "the removal of another hash": sql(
        f"UPDATE audit SET after = replace(after, 'hash\":\"', 'hash\":\"0') WHERE id = {NEWEST}"
    ),
    "the removal of more": sql(
        f"UPDATE audit SET after = replace(after, 'entries\":', 'entries\":1') WHERE id = {NEWEST}"
    ),
    "the removal without facts": sql(f"UPDATE audit SET after = NULL WHERE id = {NEWEST}"),
    "the removal of nonsense": sql(f"UPDATE audit SET after = x'ff' WHERE id = {NEWEST}"),
    "the removal at another time": sql(f"UPDATE audit SET at = at + 1 WHERE id = {NEWEST}"),
    "the removal under another name": sql(f"UPDATE audit SET action = 'sign_in' WHERE id = {NEWEST}"),
    "an entry put before the oldest": put_back,
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_what_was_tampered_with_after_a_removal_shows(tampering: str, ledger: Ledger, aged: None) -> None:
    assert pruned(ledger) == OLD
    assert verdict(ledger).broken_at is None
    TAMPERINGS[tampering](ledger)
    assert verdict(ledger).broken_at is not None


def test_a_cut_by_hand_with_an_entry_shows_by_the_number_of_a_noted_head(ledger: Ledger, aged: None) -> None:
    """Who writes an entry that follows hides the cut from the chain itself, as one who writes all of it anew."""
    pruned(ledger)
    before = verdict(ledger)
    noted = NotedHead(before.head, before.number)
    cut_by_hand(ledger, chained=True)
    found = verdict(ledger)
    assert found.broken_at is None
    assert found.number == before.number + 1, "that number of entries there could be"
    assert ledger.ask(noted_head.state, noted, found.removal) == "in_chain"
    ledger.sql("DELETE FROM audit WHERE uid = 'forged'")
    forged(ledger, OLD, found.removal.hash, chained=True)
    found = verdict(ledger)
    assert found.broken_at is None
    assert ledger.ask(noted_head.state, noted, found.removal) == "moved"


def test_what_was_tampered_with_before_is_not_removed(ledger: Ledger, aged: None) -> None:
    """Else the rule would do away with what shows it."""
    ledger.sql("UPDATE audit SET reason = 'another' WHERE id = 3")
    before = ledger.dump()["audit"]
    with pytest.raises(Conflict, match="does not follow from the one before it"):
        pruned(ledger)
    assert ledger.dump()["audit"] == before


# Noted heads


def test_noted_heads(ledger: Ledger, aged: None) -> None:
    hashes = [found for (found,) in ledger.sql("SELECT hash FROM audit ORDER BY id")]
    pruned(ledger)
    gone = verdict(ledger).removal

    def state(number: int, *, by_number: bool = True) -> str:
        return ledger.ask(noted_head.state, NotedHead(hashes[number - 1], number if by_number else None), gone)

    assert [state(number) for number in range(1, OLD + NEW + 1)] == ["removed"] * OLD + ["in_chain"] * NEW
    hashes_alone = [state(number, by_number=False) for number in range(1, OLD + NEW + 1)]
    assert hashes_alone == ["missing"] * (OLD - 1) + ["removed"] + ["in_chain"] * NEW
    other = "0" * 64
    assert ledger.ask(noted_head.state, NotedHead(other, OLD), gone) == "missing", "its hash is known"
    assert ledger.ask(noted_head.state, NotedHead(other, OLD + 1), gone) == "missing"
    assert ledger.ask(noted_head.state, NotedHead(hashes[-1], OLD), gone) == "moved"


# With erasures, and what was written before there were seals


def test_users_who_were_erased(ledger: Ledger, root: Identity) -> None:
    """Salts are missing before the entry of the deletion: a removal may end between the two, or after both."""
    with days_ago(500):
        made(ledger, root, "other")
        (ana,) = made(ledger, root, "ana")
    with days_ago(300):
        ledger.do(DeleteUser(identity=root, user_id=ana))
    assert applied(ledger, audit_entries=490)["audit_entries"].items == 2
    assert verdict(ledger).broken_at is None
    assert applied(ledger, audit_entries=200)["audit_entries"].items == 1
    assert verdict(ledger).broken_at is None
    (bo,) = made(ledger, root, "bo")
    ledger.do(DeleteUser(identity=root, user_id=bo))
    assert verdict(ledger).broken_at is None
    assert "bo@example.com" not in str(ledger.dump()["audit"])


def test_an_erasure_that_the_chain_does_not_record_is_not_removed(ledger: Ledger, aged: None) -> None:
    ledger.sql("UPDATE audit SET before = NULL, after = NULL, change_salt = NULL WHERE id = 3")
    with pytest.raises(Conflict):
        pruned(ledger)


def test_an_old_log_keeps_its_former_hashes(ledger: Ledger, aged: None) -> None:
    schema.runner(ledger.store.database).down(target="0009_audit_seals")
    former = [found for (found,) in ledger.sql("SELECT hash FROM audit ORDER BY id")]
    schema.migrate(ledger.store.database, ledger.path)
    assert pruned(ledger) == OLD
    found = verdict(ledger)
    assert (found.broken_at, found.removal.former_hash) == (None, former[OLD - 1])
    assert ledger.ask(audit.place_of, former[OLD]) == 1
    ledger.sql("UPDATE audit SET former_hash = ? WHERE former_hash = ?", "0" * 64, former[OLD])
    assert verdict(ledger).broken_at is not None
