from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.auth.identity import Identity
from tests.builders import Ledger
from tests.storage.clock import Clock
from tests.storage.resources.artifacts.desk import Desk
from tests.storage.resources.files.shelf import Shelf


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "experience.db")
    yield made
    made.close()


@pytest.fixture
def ana(ledger: Ledger) -> Identity:
    return ledger.user("ana")


@pytest.fixture
def bo(ledger: Ledger) -> Identity:
    return ledger.user("bo")


@pytest.fixture
def root(ledger: Ledger) -> Identity:
    return ledger.admin("root")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """From `NOW` on, until a test changes it."""
    return Clock(monkeypatch)


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    return Desk(ledger)


@pytest.fixture
def shelf(ledger: Ledger) -> Shelf:
    return Shelf(ledger)
