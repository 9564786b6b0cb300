from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.outbound.webhooks.receiver import Receiver, receiving
from tests.serving import Server, serving


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", WEBHOOK_NETWORKS="127.0.0.1") as running:
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made
