import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.realtime_client import RawClient, raw_client
from tests.server.realtime.gauge import Gauge
from tests.serving import Client, Server


@pytest.fixture(autouse=True)
def _no_errors_of_ours(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever clients do, it is never news about a defect of the server."""
    yield
    told = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert told == []


class Dial:
    """Opens WebSockets that close with the test: `await dial(alice)`, or `await dial()` without a connect."""

    def __init__(self, server: Server, stack: AsyncExitStack) -> None:
        self.server = server
        self.ignores_own = True
        """What clients are told of their own users is of no interest, where a test does not say otherwise."""
        self._stack = stack

    async def __call__(self, who: Client | None = None, **options: Any) -> RawClient:
        token = who.token if who is not None else None
        url = self.server.websocket_url
        client = await self._stack.enter_async_context(raw_client(self.server.session, url, token, **options))
        client.ignores_own = self.ignores_own
        return client


@pytest.fixture
async def dial(server: Server) -> AsyncIterator[Dial]:
    async with AsyncExitStack() as stack:
        yield Dial(server, stack)


@pytest.fixture
def gauge(monkeypatch: pytest.MonkeyPatch) -> Gauge:
    return Gauge(monkeypatch)
