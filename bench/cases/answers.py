"""Target 11: a hundred answers that stream at once, each to three viewers."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

from bench.client import Frames, Socket, connect, make_token, publications, subscribe
from bench.harness import Meter, server
from bench.http_client import make_threads
from bench.results import Outcome, percentile
from bench.rig import gather, until

TOKENS_PER_SECOND = 150
VIEWERS = 3


class Writer(asyncio.Protocol):
    """One request whose body is the answer, piece by piece."""

    transport: asyncio.Transport

    def __init__(self, thread: str, token: str) -> None:
        self._head = (
            b"POST /api/v1/threads/%b/messages:stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n"
            b"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
            % (thread.encode(), token.encode())
        )
        self.came = b""
        self.text = ""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are not of its class
        self.transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        self.came += data

    def write(self, text: str) -> None:
        self.text += text
        line = b'{"text":"%b"}\n' % text.encode()
        self.transport.write(b"%x\r\n%b\r\n" % (len(line), line))

    def end(self) -> None:
        self.transport.write(b"0\r\n\r\n")

    @property
    def is_answered(self) -> bool:
        return b'"message":' in self.came and b'"COMPLETE"' in self.came


class Viewer:
    """Puts the text together, as a client does, and notes how long the first piece took."""

    def __init__(self) -> None:
        self.text = ""
        self.first = 0.0
        self._frames = Frames()

    def feed(self, data: bytes) -> None:
        for publication in publications(self._frames.feed(data)):
            event = publication["data"]
            if event["type"] != "message.delta":
                continue
            piece = event["data"]
            if not self.text:
                self.first = (time.perf_counter() - float(piece["text"].partition(" ")[0])) * 1000
            assert piece["index"] <= len(self.text), "a hole"
            self.text = self.text[: piece["index"]] + piece["text"]


async def streaming(quick: bool) -> Outcome:
    outcome = Outcome()
    count, seconds = (20, 1.0) if quick else (100, 5.0)
    first = outcome.figure(f"{count} answers at {TOKENS_PER_SECOND} tokens/s, first token, p99", "ms")
    share = outcome.figure(f"{count} answers at {TOKENS_PER_SECOND} tokens/s, {VIEWERS} viewers each", "% of a core")
    with server() as running:
        token = make_token()
        threads = await make_threads(running.url, count, token)
        sockets: list[Socket] = []
        for _ in range(1 if quick else 3):
            viewers = [[Viewer() for _ in range(VIEWERS)] for _ in threads]
            joining = [_watch(running.port, token, t, v) for t, vs in zip(threads, viewers, strict=True) for v in vs]
            sockets = await gather(joining)
            writers = await gather([_open(running.port, thread, token) for thread in threads])
            meter = Meter(running.process)
            await _write_all(writers, seconds)
            usage = meter.read()
            await _all_answered(writers)
            for writer, seen in zip(writers, viewers, strict=True):
                assert {viewer.text for viewer in seen} == {writer.text}, "the viewers' texts differ"
            first.add(percentile([viewer.first for seen in viewers for viewer in seen], 0.99), usage)
            share.add(usage.server * 100, usage)
            for transport in (*(socket.transport for socket in sockets), *(writer.transport for writer in writers)):
                transport.abort()
    outcome.target_of("11", "first token of a streamed answer, p99", first, most=20.0)
    outcome.target_of("11", f"{count} answers streaming at once", share, most=60.0)
    return outcome


async def _all_answered(writers: list[Writer]) -> None:
    await until(lambda: all(writer.is_answered for writer in writers), lambda: f"{writers[0].came[-300:]!r}")


async def _watch(port: int, token: str, thread: str, viewer: Viewer) -> Socket:
    socket = await connect(port, token)
    await subscribe(socket, thread)
    socket.on_data = viewer.feed
    return socket


async def _open(port: int, thread: str, token: str) -> Writer:
    make: Callable[[], Writer] = lambda: Writer(thread, token)  # noqa: E731 - typed
    _, writer = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", port)
    return writer


async def _write_all(writers: list[Writer], seconds: float) -> None:
    """Evenly spaced: each writer in turn, so that they do not all write in the same moment."""
    started, number = time.perf_counter(), int(seconds * TOKENS_PER_SECOND)
    for index in range(number):
        for turn, writer in enumerate(writers):
            due = started + (index + turn / len(writers)) / TOKENS_PER_SECOND
            wait = due - time.perf_counter()
            if wait > 0.001:
                await asyncio.sleep(wait)
            writer.write(f"{time.perf_counter():.6f} " if index == 0 else f"word{index} ")
    for writer in writers:
        writer.end()
