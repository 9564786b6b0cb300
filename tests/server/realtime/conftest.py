import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.realtime_client import RawClient, raw_client
from tests.serving import Client, Server

Dial = Callable[..., "AsyncIterator[RawClient]"]


@pytest.fixture(autouse=True)
def _no_errors_of_ours(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever clients do, it is never news about a defect of the server."""
    yield
    told = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert told == []


@pytest.fixture
async def dial(server: Server) -> AsyncIterator[Callable[..., object]]:
    """Open WebSockets that close with the test: `await dial(alice)`, or `await dial()` without a connect."""
    async with AsyncExitStack() as stack:

        async def open_one(who: Client | None = None, **options: object) -> RawClient:
            token = who.token if who is not None else None
            return await stack.enter_async_context(raw_client(server.session, server.websocket_url, token, **options))

        yield open_one
