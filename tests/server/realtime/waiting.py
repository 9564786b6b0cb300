"""Waiting for what the server does by itself."""

import asyncio
from collections.abc import Callable

from actors.connection import ConnectionActor
from tests.realtime_client import PATIENCE
from tests.serving import Server


async def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the server has no event for what tests look at
            await asyncio.sleep(0.005)


def connections(server: Server) -> int:
    """How many WebSockets and streams have an actor."""
    return server.services.directory._stage.count(ConnectionActor)
