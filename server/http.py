"""The HTTP server: an application on a listening socket, started and stopped in steps."""

import logging
import socket

from aiohttp import web

from actors.runtime import Stage
from server.application import make_application
from server.authentication import BrowserRules
from server.services import Services

BACKLOG = 4096
"""Thousands of clients come back at once after a restart; the kernel caps it at somaxconn."""
REQUEST_END_SECONDS = 2.0
KEEPALIVE_SECONDS = 75.0


class HttpServer:
    def __init__(self, services: Services, stage: Stage, browser: BrowserRules, *, access_log: bool = False) -> None:
        application = make_application(services, stage, browser)
        self._runner = web.AppRunner(
            application,
            access_log=logging.getLogger("server.access") if access_log else None,
            handler_cancellation=True,  # a stream whose client has gone ends at once
            shutdown_timeout=REQUEST_END_SECONDS,
            keepalive_timeout=KEEPALIVE_SECONDS,
        )
        self._site: web.SockSite | None = None

    async def start(self, listener: socket.socket) -> None:
        await self._runner.setup()
        self._site = web.SockSite(self._runner, listener, backlog=BACKLOG)
        await self._site.start()

    async def stop_accepting(self) -> None:
        """Requests and sockets that are open go on."""
        assert self._site is not None
        await self._site.stop()

    async def close(self) -> None:
        """Wait a moment for requests in flight, then end what is left."""
        await self._runner.cleanup()
