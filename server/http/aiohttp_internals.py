"""Every private part of aiohttp that this server uses, and nothing of its own.

aiohttp does not show the states of a connection, and it may rename these parts in any release: pyproject.toml allows
only versions that the tests of this module were run with.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aiohttp import hdrs, web
from aiohttp._cookie_helpers import parse_cookie_header
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import _ErrInfo as UnreadableRequest
from multidict import CIMultiDict

__all__ = [
    "EMPTY_PAYLOAD", "GO_ON", "FrameParser", "NegotiatedWebSocket", "RequestProtocol", "UnreadableRequest",
    "cookies_of_header", "refused_request", "writes_chunks",
]  # fmt: skip

GO_ON = (False, b"")
"""The answer of a frame parser until its end."""


class FrameParser(Protocol):
    """Receives the bytes of an upgraded connection (aiohttp's WebSocketReader)."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]: ...

    def feed_eof(self) -> None: ...


class RequestProtocol(web.RequestHandler):
    """aiohttp's protocol of one connection, with its states to read."""

    __slots__ = ()

    @property
    def requests_parsed(self) -> int:
        """Since the connection was made, with those that could not be read."""
        return self._request_count

    @property
    def pending(self) -> deque[Any]:
        """Pairs of a parsed request (or UnreadableRequest) and its body; no handler has begun with them."""
        return self._messages

    @property
    def is_handling(self) -> bool:
        return self._current_request is not None

    @property
    def is_upgraded(self) -> bool:
        """What comes is no HTTP any more."""
        return self._upgraded

    @property
    def is_closing(self) -> bool:
        """It ends with the request that is handled now: nothing more is parsed."""
        return self._close

    @property
    def is_force_closed(self) -> bool:
        return self._force_close

    @property
    def is_queue_full(self) -> bool:
        """It is not read because of requests that wait to be handled."""
        return self._buffer_paused

    @property
    def is_reading_paused(self) -> bool:
        """It is not read because of a queue that is full, or a body whose reader is slow."""
        return self._reading_paused or self._buffer_paused

    @property
    def keepalive_ends_at(self) -> float:
        """In the event loop's time; of a connection that is idle."""
        return self._next_keepalive_close_time

    @property
    def awaits_request(self) -> bool:
        """Its last request is answered, and nothing of the next one has been parsed."""
        return self._waiter is not None and not self._waiter.done() and not self._messages

    def end_parsing(self) -> bool:
        """Whether all that was read has been parsed; it must be asked only of a connection that is given up.

        The parser holds the first bytes of a request whose end has not come, and tells it by nothing but its end."""
        if self._parser is None:
            return True
        try:
            return self._parser.feed_eof() is None and not self._message_tail
        except HttpProcessingError:
            return False

    def loop_time(self) -> float:
        return self._loop.time()

    def add_unreadable(self, sentence: str) -> None:
        """Have 400 answered, in its turn, to what cannot become a request."""
        self._messages.append((refused_request(sentence), EMPTY_PAYLOAD))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def stop_reading(self) -> None:
        """For good: what still comes stays with the kernel, and with its sender."""
        self._pause_reading_for_buffer()


def refused_request(sentence: str) -> UnreadableRequest:
    """Stands in `pending` for a request, and is answered with 400."""
    return UnreadableRequest(status=400, exc=BadHttpMessage(sentence), message=sentence)


class NegotiatedWebSocket(web.WebSocketResponse):
    """Agrees on a subprotocol by `choose`, which gets all lines of the header.

    aiohttp itself reads the first line alone, and warns of each client that names none of ours (the Python SDK names an
    empty one).
    """

    def __init__(self, choose: Callable[[Sequence[str]], str | None], **options: Any) -> None:
        super().__init__(protocols=_Any(), **options)
        self._choose = choose

    def _handshake(self, request: web.BaseRequest) -> tuple[CIMultiDict[str], str | None, int, bool]:
        headers, _, compress, no_takeover = super()._handshake(request)
        chosen = self._choose(request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, ()))
        headers.popall(hdrs.SEC_WEBSOCKET_PROTOCOL, None)
        if chosen is not None:
            headers[hdrs.SEC_WEBSOCKET_PROTOCOL] = chosen
        return headers, chosen, compress, no_takeover


class _Any(tuple[str, ...]):
    """Contains whatever a client names, so that aiohttp has nothing to warn of."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return True


def cookies_of_header(value: str) -> dict[str, str]:
    """By name, as aiohttp reads them of a request: the last one of a name counts."""
    return {name: morsel.value for name, morsel in parse_cookie_header(value)}


def writes_chunks(writer: AbstractStreamWriter) -> bool:
    """Whether what is written to its transport has to be framed as chunks."""
    return bool(getattr(writer, "chunked", False))


def bytes_written(response: web.StreamResponse) -> int:
    """Bytes of a response that were handed to its transport, its headers too; 0 before it is prepared."""
    writer = response._payload_writer
    return 0 if writer is None else writer.output_size
