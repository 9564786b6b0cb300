"""For a file whose tests share one server: fixtures that it imports, and names in `__all__`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.server.realtime.conftest import Dial
from tests.serving import Client, Server, serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with serving(tmp_path_factory.mktemp("shared") / "data") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def alice(server: Server) -> Client:
    client = server.client("alice")
    await client.me()
    return client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bob(server: Server) -> Client:
    client = server.client("bob")
    await client.me()
    return client


@pytest_asyncio.fixture(loop_scope="module")
async def dial(server: Server) -> AsyncIterator[Dial]:
    """Connections of one test."""
    async with AsyncExitStack() as stack:
        yield Dial(server, stack)
