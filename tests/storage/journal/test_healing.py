"""A writer that gave up its connection heals only on the database that it wrote to before."""

import contextlib
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import peewee
import pytest

from actors.errors import StorageUnavailable
from actors.ports import Outcome
from tests.builders import Ledger, post


def test_a_database_that_is_away_is_not_made_anew(ledger: Ledger) -> None:
    who = ledger.user()
    thread = ledger.thread(who)
    hidden = ledger.path.with_name("hidden.db")
    ledger.store._disconnect()
    ledger.path.rename(hidden)
    with pytest.raises(StorageUnavailable):
        ledger.store.heal()
    assert not ledger.path.exists()
    hidden.rename(ledger.path)
    ledger.store.heal()
    assert ledger.do(post(who, thread)).result.number == 1


def test_another_database_in_its_place_does_not_heal_it(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger(tmp_path / "other.db")
    other.close()
    ledger.store._disconnect()
    ledger.path.rename(tmp_path / "hidden.db")
    other.path.rename(ledger.path)
    with pytest.raises(StorageUnavailable, match="another database is in its place"):
        ledger.store.heal()


def test_a_transaction_that_a_failure_left_open_is_abandoned(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next batch begins one of its own."""
    who = ledger.user()
    thread = ledger.thread(who)

    def fails(batch: object) -> list[Outcome]:
        ledger.store.database.connection().execute("BEGIN IMMEDIATE")
        raise peewee.OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.store, "_execute", fails)
        with pytest.raises(StorageUnavailable):
            ledger.do(post(who, thread))
    assert not ledger.store.database.connection().in_transaction
    assert ledger.do(post(who, thread)).result.number == 1


def test_a_connection_that_cannot_even_abandon_it_is_given_up(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    who = ledger.user()
    thread = ledger.thread(who)

    def fails(batch: object) -> list[Outcome]:
        raise peewee.OperationalError("database is locked")

    def broken() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.store, "_execute", fails)
        lost = SimpleNamespace(in_transaction=True, rollback=broken)
        patched.setattr(ledger.store.database, "connection", lambda: lost)
        with pytest.raises(StorageUnavailable):
            ledger.do(post(who, thread))
    assert ledger.store.database.is_closed()
    assert ledger.do(post(who, thread)).result.number == 1


def test_a_defect_is_raised_as_it_is_and_keeps_the_connection(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(batch: object) -> list[Outcome]:
        ledger.store.database.connection().execute("BEGIN IMMEDIATE")
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(ledger.store, "_execute", fails)
        with pytest.raises(ZeroDivisionError):
            ledger.apply("anything")
    assert not ledger.store.database.is_closed()
    assert not ledger.store.database.connection().in_transaction


def test_a_closed_store_has_nothing_to_catch_up_with(ledger: Ledger) -> None:
    ledger.store._disconnect()
    assert ledger.store.catch_up(idle=True) is False


def test_the_index_rests_from_a_failure_until_the_database_takes_something(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would fail again, at every idle moment."""
    tried = 0

    def step(*_: object) -> int:
        nonlocal tried
        tried += 1
        raise peewee.OperationalError("database or disk is full")

    def is_tried() -> bool:
        before = tried
        with contextlib.suppress(StorageUnavailable):
            ledger.store.catch_up(idle=True)
        return tried > before

    monkeypatch.setattr("storage.search.index.step", step)
    monkeypatch.setattr("storage.search.index.merge", step)
    assert [is_tried(), is_tried()] == [True, False], "by its own failure"
    ledger.store.heal()
    assert is_tried()
    ledger.user("one who is new")
    assert is_tried(), "a batch was written"

    def fails(batch: object) -> list[Outcome]:
        raise peewee.OperationalError("database or disk is full")

    ledger.store.heal()
    with monkeypatch.context() as patched:
        patched.setattr(ledger.store, "_execute", fails)
        with pytest.raises(StorageUnavailable):
            ledger.apply("anything")
    assert not is_tried(), "by the failure of a batch"


def test_who_ends_waits_for_what_is_due(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    scrubbing, steps = ledger.store._scrubbing, 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            scrubbing._due_at = None

    monkeypatch.setattr(scrubbing, "step", step)
    scrubbing._due_at = 0.0
    ledger.store.settle(60)
    assert steps == 3
    scrubbing._due_at = 0.0
    ledger.store.settle(0)
    assert scrubbing.is_due, "but not for longer than that"


@pytest.mark.timeout(20)
def test_where_nothing_is_due_who_ends_waits_for_nothing(ledger: Ledger) -> None:
    ledger.store.settle(60)
