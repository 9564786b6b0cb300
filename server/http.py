"""The HTTP server: an application on a listening socket, started and stopped in steps."""

import logging
import socket

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, PayloadEncodingError

from actors.runtime import Stage
from server.application import make_application
from server.authentication import BrowserRules
from server.services import Services

logger = logging.getLogger("server.http")

BACKLOG = 4096
"""Thousands of clients come back at once after a restart; the kernel caps it at somaxconn."""
REQUEST_END_SECONDS = 2.0
KEEPALIVE_SECONDS = 75.0


class _Quiet(logging.Filter):
    """What is not HTTP gets its 400; it is news about a client, one line, not a traceback about us."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError | PayloadEncodingError | web.RequestPayloadError):
            return True
        logger.info(
            "a client sent what is not HTTP: %s", " ".join(str(error.args[0] if error.args else error).split())[:200]
        )
        return False


logging.getLogger("aiohttp.server").addFilter(_Quiet())


class HttpServer:
    def __init__(self, services: Services, stage: Stage, browser: BrowserRules, *, access_log: bool = False) -> None:
        application = make_application(services, stage, browser)
        self._runner = web.AppRunner(
            application,
            access_log=logging.getLogger("server.access") if access_log else None,
            auto_decompress=False,  # bodies are taken as they are; compressed ones are refused (415), not unpacked
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
