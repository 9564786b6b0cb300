from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.runtime.loop_actor import Stage
from tests.actors.house import House


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    yield made
    made.stop_all()


@pytest.fixture
async def house(stage: Stage, tmp_path: Path) -> AsyncIterator[House]:
    made = House(stage, tmp_path / "experience.db")
    await made.open()
    yield made
    await made.close()
