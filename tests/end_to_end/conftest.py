from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from storage.database import FILE_NAME
from tests.end_to_end.proxy import Proxy, proxy_to
from tests.end_to_end.sdk import Sdk, running_sdk
from tests.prepared import prepare
from tests.serving import Client, ServerProcess


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A running server of its own."""
    process = ServerProcess(tmp_path / "data")
    prepare(process.data_dir / FILE_NAME)
    await process.start()
    yield process
    if process.process is not None and process.process.returncode is None:
        await process.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


@pytest.fixture
def alice(process: ServerProcess, session: aiohttp.ClientSession) -> Client:
    return Client(session, process.url, "alice")


@pytest.fixture
async def thread(alice: Client) -> Any:
    return await alice.thread()


@pytest.fixture
async def proxy(process: ServerProcess) -> AsyncIterator[Proxy]:
    async with proxy_to(process.port) as proxy:
        yield proxy


@pytest.fixture
async def sdk(tmp_path: Path) -> AsyncIterator[Sdk]:
    """The SDK for JavaScript."""
    async with running_sdk(tmp_path / "sdk.log") as sdk:
        yield sdk


@pytest.fixture(params=[False, True], ids=["JSON", "Protobuf"])
def protobuf(request: pytest.FixtureRequest) -> bool:
    """In which form the SDK for Python speaks."""
    return bool(request.param)
