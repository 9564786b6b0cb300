"""A writer that gave up its connection heals only on the database that it wrote to before."""

from pathlib import Path

import pytest

from actors.errors import StorageUnavailable
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
