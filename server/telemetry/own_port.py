"""A port for metrics alone: a firewall decides who reaches it."""

import contextlib
import socket
from collections.abc import AsyncIterator

from aiohttp import web

from server.api.services import Services
from server.telemetry.endpoint import application


@contextlib.asynccontextmanager
async def serving_metrics(services: Services, listener: socket.socket | None) -> AsyncIterator[None]:
    """Serve metrics on this socket, while inside; nothing without one."""
    if listener is None:
        yield
        return
    runner = web.AppRunner(application(services), access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
