"""Beside target 13: what everybody else notices of who storms, loops or floods, with all limits on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial

from bench.cases.crowd import Listeners
from bench.client import Socket, connect, make_token, open_socket, subscribe
from bench.harness import Running, server
from bench.http_client import make_threads
from bench.results import Outcome
from bench.rig import gather

LOOPERS = 20
STORM_PAUSE_SECONDS = 1.0
COMMANDS_A_FRAME = 100
FRAME_PAUSE_SECONDS = 0.01
LIMITS = {
    "RATE_LIMITS": "on", "RATE_WRITE": "1000/s:1000", "MAX_CONNECTIONS_PER_USER": "5000",
    "MAX_CONNECTIONS_PER_ADDRESS": "5000",
}  # fmt: skip
"""Those of a connection are what they always are; those of a user and an address are of no interest here, as all that
the generator does comes from one of each."""

Hostile = Callable[[Running, str, str], contextlib.AbstractAsyncContextManager[None]]
"""Takes the thread and a token; goes on until the block ends."""


async def readers(quick: bool) -> Outcome:
    """A thread with subscribers and 50 messages a second, alone and beside each kind of trouble in turn."""
    outcome = Outcome()
    count, storm, seconds = (100, 50, 1.0) if quick else (500, 500, 4.0)
    kinds: dict[str, Hostile] = {
        f"{storm} who come back at once, again and again": partial(_storm, count=storm),
        f"{LOOPERS} who subscribe and unsubscribe in a loop": _loop,
        "one who floods": _flood,
    }
    alone = outcome.figure(f"delivery to {count:,} with limits on, alone, p99", "ms")
    beside = {name: outcome.figure(f"delivery to {count:,} beside {name}, p99", "ms") for name in kinds}
    with server(None, **LIMITS) as running:
        token = make_token()
        (thread,) = await make_threads(running.url, 1, token)
        listeners = Listeners()
        await listeners.join(running, thread, [token] * count)
        for _ in range(1 if quick else 3):
            await listeners.measure(alone, running, thread, token, seconds)
            for name, hostile in kinds.items():
                async with hostile(running, thread, token):
                    await listeners.measure(beside[name], running, thread, token, seconds)
        listeners.close()
    return outcome


@contextlib.asynccontextmanager
async def _meanwhile(work: Callable[[list[Socket]], asyncio.Future[None]]) -> AsyncIterator[None]:
    sockets: list[Socket] = []
    task = work(sockets)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for socket in sockets:
            socket.transport.abort()


def _storm(running: Running, thread: str, token: str, count: int) -> contextlib.AbstractAsyncContextManager[None]:
    async def one() -> Socket:
        socket = await connect(running.port, token)
        await subscribe(socket, thread)
        return socket

    async def storm(sockets: list[Socket]) -> None:
        while True:
            for socket in sockets:
                socket.transport.abort()
            sockets[:] = await gather([one() for _ in range(count)], at_once=count)
            await asyncio.sleep(STORM_PAUSE_SECONDS)

    return _meanwhile(lambda sockets: asyncio.ensure_future(storm(sockets)))


def _loop(running: Running, thread: str, token: str) -> contextlib.AbstractAsyncContextManager[None]:
    channel = f"thread:{thread}".encode()
    pair = b'{"id":3,"subscribe":{"channel":"%b"}}\n{"id":4,"unsubscribe":{"channel":"%b"}}' % (channel, channel)

    async def loop(sockets: list[Socket]) -> None:
        sockets += await gather([connect(running.port, token) for _ in range(LOOPERS)])
        for socket in sockets:
            socket.on_data = lambda data: None
        while True:
            for socket in sockets:
                socket.send(pair)
            await asyncio.sleep(FRAME_PAUSE_SECONDS)

    return _meanwhile(lambda sockets: asyncio.ensure_future(loop(sockets)))


def _flood(running: Running, thread: str, token: str) -> contextlib.AbstractAsyncContextManager[None]:
    """It comes back each time it is cut."""
    pings = b"\n".join([b'{"id":9,"ping":{}}'] * COMMANDS_A_FRAME)

    async def flood(sockets: list[Socket]) -> None:
        while True:
            socket = await open_socket(running.port)
            sockets[:] = [socket]
            socket.send(b'{"id":1,"connect":{"token":"%b"}}' % token.encode())
            while not socket.closed.done():
                socket.send(pings)
                await asyncio.sleep(FRAME_PAUSE_SECONDS)

    return _meanwhile(lambda sockets: asyncio.ensure_future(flood(sockets)))
