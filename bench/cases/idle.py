"""Targets 7 and 14: what idle connections cost, how fast they are taken, how fast they go."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from bench.clients import Socket, connect, open_socket, subscribe
from bench.processes import server, yardstick
from bench.results import Outcome, ratio
from bench.rig import bench_token, gather, make_threads

SOURCES = 8
"""Loopback addresses that the connections come from: one alone has 28,000 ports, and some are in TIME_WAIT."""


async def connections(quick: bool) -> Outcome:
    outcome = Outcome()
    count, window = (1_000, 6.0) if quick else (10_000, 16.0)
    plain = outcome.figure("D: plain aiohttp accepts", "connections/s")
    ours = outcome.figure("authenticated and subscribed", "connections/s")
    with yardstick("websocket") as stick:
        before = stick.process.rss_kib()
        sockets, seconds = await _open(count, lambda number: open_socket(stick.port, source=_source(number)))
        plain.values.append(count / seconds)
        outcome.figure("D: plain aiohttp, idle", "KiB each", [(stick.process.rss_kib() - before) / count])
        _abort(sockets)
    with server(PING_INTERVAL="15") as running:
        good_token = bench_token()
        (thread,) = await make_threads(running.url, 1, good_token)
        before = running.process.rss_kib()

        async def join(number: int) -> Socket:
            socket = await connect(running.port, good_token, source=_source(number))
            await subscribe(socket, thread)
            socket.on_data = _pong(socket)
            return socket

        sockets, seconds = await _open(count, join)
        ours.values.append(count / seconds)
        each = (running.process.rss_kib() - before) / count
        await asyncio.sleep(0.5)
        cpu, started = running.process.cpu_seconds(), time.perf_counter()
        await asyncio.sleep(window)
        share = (running.process.cpu_seconds() - cpu) / (time.perf_counter() - started) * 100
        assert not any(socket.closed.done() for socket in sockets)
        _abort(sockets)
    outcome.figure("idle connection", "KiB each", [each])
    outcome.figure("pings of 10,000 (every 15 s)", "% of a core", [share])
    outcome.target("7", "memory of an idle connection", each, "KiB", most=20.0)
    outcome.target("7", "accepted, authenticated, subscribed", ratio(ours, plain), "× D", least=0.5)
    outcome.target("7", "pings of 10,000 connections", share, "% of a core", most=10.0)
    return outcome


def _source(number: int) -> str:
    return f"127.0.0.{2 + number % SOURCES}"


def _pong(socket: Socket) -> Callable[[bytes], object]:
    def answer(data: bytes) -> None:
        if data.endswith(b"{}"):
            socket.send(b"{}")

    return answer


async def _open(count: int, make: Callable[[int], Coroutine[Any, Any, Socket]]) -> tuple[list[Socket], float]:
    started = time.perf_counter()
    sockets = await gather([make(number) for number in range(count)], at_once=200)
    return sockets, time.perf_counter() - started


def _abort(sockets: list[Socket]) -> None:
    for socket in sockets:
        socket.transport.abort()


async def drain(quick: bool) -> Outcome:
    outcome = Outcome()
    count = 500 if quick else 5_000
    with server() as running:
        good_token = bench_token()
        (thread,) = await make_threads(running.url, 1, good_token)

        async def join(number: int) -> Socket:
            socket = await connect(running.port, good_token, source=_source(number))
            await subscribe(socket, thread)
            socket.on_data = lambda data: socket.transport.close() if b"\x88" in data else None
            return socket

        sockets, _ = await _open(count, join)
        started = time.perf_counter()
        code, _ = await asyncio.to_thread(running.process.stop)
        seconds = time.perf_counter() - started
        _abort(sockets)
    assert code == 0, f"the server ended with {code}"
    outcome.figure(f"drain of {count} connections", "s", [seconds])
    outcome.target("14", f"drain of {count:,} connections on SIGTERM, exit 0", seconds, "s", most=10.0)
    return outcome
