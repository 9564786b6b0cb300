"""Targets 7 and 14: what idle connections cost, how fast they are taken, how fast they go."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from bench.client import Socket, connect, make_token, open_socket, subscribe
from bench.harness import Meter, Running, server, yardstick
from bench.http_client import make_threads
from bench.results import Figure, Outcome
from bench.rig import gather

SOURCES = 8
"""Loopback addresses that the connections come from: one alone has 28,000 ports, and some are in TIME_WAIT."""
THREADS = 100
AT_ONCE = 200
PING_SECONDS = 12


async def connections(quick: bool) -> Outcome:
    """Every connection has a token of its own, so that every signature is verified; they share 100 threads."""
    outcome = Outcome()
    sizes = (1_000,) if quick else (4_000, 4_000, 10_000)
    count = sizes[-1]
    plain = outcome.figure("D: plain aiohttp accepts", "connections/s")
    ours = outcome.figure("accepted, authenticated, subscribed", "connections/s")
    plain_memory = outcome.figure("D: plain aiohttp, idle WebSocket", "KiB each")
    memory = outcome.figure("idle WebSocket, authenticated, subscribed", "KiB each")
    pings = outcome.figure(f"pings of {count:,} WebSockets, every {PING_SECONDS} s", "% of a core")
    tokens = [make_token() for _ in range(count)]
    for size in sizes:
        with yardstick("websocket") as stick:
            opening = [open_socket(stick.port, source=_source(n)) for n in range(size)]
            _abort(await _open(plain, plain_memory, stick, opening))
        with server(PING_INTERVAL=str(PING_SECONDS)) as running:
            threads = await make_threads(running.url, THREADS, tokens[0])
            joining = [_join(running.port, n, tokens[n], threads[n % THREADS]) for n in range(size)]
            sockets = await _open(ours, memory, running, joining)
            if size == count:
                await _watch_pings(pings, running, sockets)
            _abort(sockets)
    outcome.target("7", f"memory of an idle WebSocket, {count:,} of them", memory.values[-1], memory.unit, most=20.0)
    outcome.target_ratio("7", "accepted, authenticated, subscribed", ours, plain, "× D", least=0.5)
    outcome.target_of("7", f"CPU of pings of {count:,} WebSockets", pings, most=10.0)
    return outcome


async def _open(
    rate: Figure, memory: Figure, running: Running, joining: list[Coroutine[Any, Any, Socket]]
) -> list[Socket]:
    before, meter = running.process.rss_kib(), Meter(running.process)
    sockets = await gather(joining, at_once=AT_ONCE)
    rate.add(len(sockets) / meter.seconds, meter.read())
    memory.add((running.process.rss_kib() - before) / len(sockets))
    return sockets


async def _join(port: int, number: int, token: str, thread: str) -> Socket:
    socket = await connect(port, token, source=_source(number))
    await subscribe(socket, thread)
    socket.on_data = _pong(socket)
    return socket


async def _watch_pings(figure: Figure, running: Running, sockets: list[Socket]) -> None:
    """Over a little more than one interval."""
    meter = Meter(running.process)
    await asyncio.sleep(PING_SECONDS + 0.5)
    usage = meter.read()
    figure.add(usage.server * 100, usage)
    assert not any(socket.closed.done() for socket in sockets), "idle connections were closed"


def _source(number: int) -> str:
    return f"127.0.0.{2 + number % SOURCES}"


def _pong(socket: Socket) -> Callable[[bytes], object]:
    def answer(data: bytes) -> None:
        if data.endswith(b"{}"):
            socket.send(b"{}")

    return answer


def _abort(sockets: list[Socket]) -> None:
    for socket in sockets:
        socket.transport.abort()


async def drain(quick: bool) -> Outcome:
    """SIGTERM while thousands are connected; each closes when it is told to."""
    outcome = Outcome()
    count = 500 if quick else 5_000
    figure = outcome.figure(f"drain of {count:,} connections", "s")
    for _ in range(1 if quick else 2):
        with server() as running:
            token = make_token()
            (thread,) = await make_threads(running.url, 1, token)
            sockets = await gather([_join(running.port, n, token, thread) for n in range(count)], at_once=AT_ONCE)
            told = [_close_when_told(socket) for socket in sockets]
            code, seconds = await asyncio.to_thread(running.process.stop)
            await asyncio.sleep(0.2)
            assert code == 0, f"the server ended with {code}"
            assert all(flag for (flag,) in told), "some connections were dropped without a word"
            figure.add(seconds)
            _abort(sockets)
    outcome.target_of("14", f"drain of {count:,} connections on SIGTERM, exit 0", figure, most=10.0)
    return outcome


def _close_when_told(socket: Socket) -> list[bool]:
    """Answers a list that says whether a close frame has come."""
    told = [False]

    def look(data: bytes) -> None:
        if b"\x88" in data:
            told[0] = True
            socket.transport.close()

    socket.on_data = look
    return told
