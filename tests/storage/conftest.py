from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "experience.db")
    yield made
    made.close()
