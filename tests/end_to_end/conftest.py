from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.serving import ServerProcess


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A running server of its own."""
    process = ServerProcess(tmp_path / "data")
    await process.start()
    yield process
    if process.process is not None and process.process.returncode is None:
        await process.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session
