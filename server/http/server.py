"""The HTTP server: an application on a listening socket, started and stopped in steps."""

import asyncio
import logging
import socket
from collections.abc import Iterable
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError, PayloadEncodingError

from actors import limits
from actors.runtime.loop_actor import Stage
from server.api.services import Services
from server.auth.authentication import BrowserRules
from server.http.application import make_application
from server.http.connections.connection import Connection, bounds, request_timeouts
from server.http.connections.parse_errors import in_one_line
from server.http.connections.request_timeouts import TimeLimits
from server.http.throttled_log import ThrottledLog
from server.limits.sockets import SocketLimits

logger = logging.getLogger("server.http")


class _Quiet(logging.Filter):
    """What is not HTTP gets its 400; it is news about a client, one line once a while, not a traceback about us."""

    _malformed = ThrottledLog(logger, logging.INFO)

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError | PayloadEncodingError | web.RequestPayloadError):
            return True
        self._malformed.log("malformed", "a client sent what is not HTTP: %s", in_one_line(error))
        return False


logging.getLogger("aiohttp.server").addFilter(_Quiet())


class _AccessLog(AbstractAccessLogger):
    """A line for each request. Without query and Referer, which may hold the code of a sign-in."""

    @property
    def enabled(self) -> bool:
        """Asked once for each connection: a level that changes holds for those that come from then on."""
        return self.logger.isEnabledFor(logging.DEBUG)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        path, agent = request.rel_url.raw_path, request.headers.get("User-Agent", "-")
        self.logger.debug(
            '%s "%s %s" %d %d bytes %.3f s "%s"',
            request.remote, request.method, path, response.status, response.body_length, time, agent,
        )  # fmt: skip


class HttpServer:
    def __init__(
        self,
        services: Services,
        stage: Stage,
        browser: BrowserRules,
        *,
        times: TimeLimits = TimeLimits(),  # noqa: B008 - frozen
        sockets: SocketLimits = SocketLimits(),  # noqa: B008 - frozen
    ) -> None:
        self._timeouts = request_timeouts(times)
        self.bounds = bounds(sockets, browser.proxies, is_limited=services.rate_limits)
        services.sockets = self.bounds.sockets.counts
        self._runner = web.AppRunner(
            make_application(services, stage, browser),
            handler_cancellation=True,  # a stream whose client has gone ends at once
            shutdown_timeout=limits.REQUEST_END_SECONDS,
        )
        self._options: dict[str, Any] = {
            "problem_base": services.problem_base,
            "access_log_class": _AccessLog,
            "access_log": logging.getLogger("server.access"),
            "auto_decompress": False,  # bodies are taken as they are; compressed ones are refused (415), not unpacked
            "keepalive_timeout": limits.KEEPALIVE_SECONDS,
            "lingering_time": times.lingering,
            "max_line_size": limits.HEAD_LINE_BYTES,
            "max_field_size": limits.HEAD_LINE_BYTES,
            "max_headers": limits.HEADERS,
            "read_bufsize": limits.BODY_BUFFER_BYTES,
            "timeouts": self._timeouts,
            "bounds": self.bounds,
        }
        self._listening: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        await self._runner.setup()
        self._listening = await asyncio.get_running_loop().create_server(
            self._connection, sock=listener, backlog=limits.BACKLOG
        )

    def _connection(self) -> Connection:
        assert self._runner.server is not None
        return Connection(self._runner.server, **self._options)

    async def adopt(self, connections: Iterable[socket.socket]) -> None:
        """Go on with connections that another process, or another server of this one, has released."""
        for connection in connections:
            try:
                await asyncio.get_running_loop().connect_accepted_socket(self._connection, connection)
            except OSError:  # its client has gone meanwhile
                connection.close()

    async def stop_accepting(self) -> None:
        """Requests and sockets that are open go on."""
        assert self._listening is not None
        self._listening.close()

    async def release_connections(self, taken: list[socket.socket]) -> None:
        """Move the sockets of all connections to `taken`, each as its request ends; what does not end in time stays."""
        time = asyncio.get_running_loop().time
        until = time() + limits.HANDOVER_REQUEST_SECONDS
        while self._release_idle(taken) and time() < until:  # noqa: ASYNC110 - no event says that a request ended
            await asyncio.sleep(limits.HANDOVER_LOOK_SECONDS)

    def _release_idle(self, taken: list[socket.socket]) -> bool:
        """Whether there are more, in the middle of a request."""
        assert self._runner.server is not None
        are_busy = False
        for connection in self._runner.server.connections:
            assert isinstance(connection, Connection)
            if (found := connection.release_socket()) is not None:
                taken.append(found)
            elif not (connection.is_upgraded or connection.is_gone):
                are_busy = True
        return are_busy

    def cut_upgraded(self) -> None:
        """WebSockets whose clients have been asked to reconnect, and have not answered: their lines may be dead."""
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            if isinstance(connection, Connection) and connection.is_upgraded:
                connection.cut()

    async def close(self) -> None:
        """Wait a moment for requests in flight, then end what is left."""
        await self._runner.cleanup()
        self._timeouts.stop()
