"""What goes out over HTTP responses that do not end: the protocol's frames for networks that break WebSockets."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from aiohttp.abc import AbstractStreamWriter

from server.realtime.protocol.codec import Codec
from server.realtime.sse.transport import StreamTransport


class EmulatedTransport(StreamTransport):
    """Implements `actors.ports.Transport`. A response has no close codes: a push announces the end."""

    carried_by: ClassVar[str]

    def __init__(self, writer: AbstractStreamWriter, ended: asyncio.Event, codec: Codec) -> None:
        super().__init__(writer, ended)
        self._codec = codec

    def write(self, chunks: Sequence[bytes]) -> None:
        super().write([self._framed(chunks)])

    @staticmethod
    def content_type(codec: Codec) -> str:
        raise NotImplementedError

    def _framed(self, chunks: Sequence[bytes]) -> bytes:
        raise NotImplementedError

    def close(self, code: int, reason: str) -> None:
        self.write([self._codec.disconnect_push(code, reason)])
        super().close(code, reason)


class EventSourceTransport(EmulatedTransport):
    """Server-sent events without names or ids, each one frame of JSON."""

    carried_by = "sse"

    @staticmethod
    def content_type(codec: Codec) -> str:
        return "text/event-stream"

    def _framed(self, chunks: Sequence[bytes]) -> bytes:
        """A client joins the `data:` lines of one event by newlines, as they stand between replies."""
        return b"data: %b\n\n" % b"\n".join(chunks).replace(b"\n", b"\ndata: ")


class HttpStreamTransport(EmulatedTransport):
    """Replies one after the other: JSON in lines, Protobuf each after its length."""

    carried_by = "http_stream"

    @staticmethod
    def content_type(codec: Codec) -> str:
        return "application/octet-stream" if codec.is_binary else "application/x-ndjson"

    def _framed(self, chunks: Sequence[bytes]) -> bytes:
        separator = self._codec.separator
        return separator.join(chunks) + separator
