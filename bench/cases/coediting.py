"""Target 28: a hundred editors of ten documents: how soon an edit is with the others, and what it costs."""

import asyncio
import itertools
import re
import time
from typing import Any

import aiohttp
import pycrdt

from actors.documents import wire
from bench.client import make_token
from bench.harness import Meter, Running, server
from bench.http_client import call, make_threads
from bench.results import Outcome, percentile
from bench.rig import gather, until

DOCUMENTS, EDITORS = 10, 100
RATE = 2
"""Edits a second of each editor."""
SENT = re.compile(rb"<(\d+)>")


async def editing(quick: bool) -> Outcome:
    """Each edit holds the time at which it is sent; all other editors of its document look for it."""
    outcome = Outcome()
    middle, tail = (
        outcome.figure(f"an edit to the others, {EDITORS} editors, {name}", "ms") for name in ("p50", "p99")
    )
    share = outcome.figure(f"CPU of the server, {EDITORS} editors at {RATE} edits/s", "% of a core")
    with server() as running:
        token = make_token()
        (thread,) = await make_threads(running.url, 1, token)
        paths = await asyncio.to_thread(_documents, running.url, thread, token)
        async with aiohttp.ClientSession() as session:
            turns = itertools.islice(itertools.cycle(paths), EDITORS)
            editors = await gather([Editor.join(session, running, path, token) for path in turns])
            for _ in range(1 if quick else 3):
                meter = Meter(running.process)
                await _edit(editors, 1.0 if quick else 5.0)
                usage, waits = meter.read(), [wait for editor in editors for wait in editor.taken()]
                middle.add(percentile(waits, 0.5) * 1000, usage)
                tail.add(percentile(waits, 0.99) * 1000, usage)
                share.add(usage.server * 100, usage)
            await gather([editor.leave() for editor in editors])
    outcome.target_of("28", f"an edit to the others p99, {EDITORS} editors", tail, most=20.0)
    outcome.target_of("28", f"CPU, {EDITORS} editors at {RATE} edits/s", share, most=40.0)
    return outcome


def _documents(url: str, thread: str, token: str) -> list[str]:
    made = [
        call(
            url, "POST", f"/api/v1/threads/{thread}/artifacts", token, {"type": "REPORT", "title": "T", "content": "T"}
        )
        for _ in range(DOCUMENTS)
    ]
    return [f"/api/v1/artifacts/{each['id']}/edit" for each in made]


class Editor:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._document: pycrdt.Doc[Any] = pycrdt.Doc()
        self._text: pycrdt.Text = self._document.get("text", type=pycrdt.Text)
        self._waits: list[float] = []
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def join(cls, session: aiohttp.ClientSession, running: Running, path: str, token: str) -> "Editor":
        socket = await session.ws_connect(f"{running.url}{path}", params={"token": token})
        await socket.receive_bytes()  # the server's state: from then on it sends edits
        return cls(socket)

    async def _read(self) -> None:
        """Not applied: the time of others must not wait for a CRDT of the generator."""
        async for message in self._socket:
            now = time.perf_counter_ns()
            self._waits += [(now - int(sent)) / 1e9 for sent in SENT.findall(message.data)]

    async def edit(self) -> None:
        before = self._document.get_state()
        self._text += f"<{time.perf_counter_ns()}>"
        await self._socket.send_bytes(wire.update(self._document.get_update(before)))

    @property
    def arrived(self) -> int:
        """Edits, since `taken` was called last."""
        return len(self._waits)

    def taken(self) -> list[float]:
        """Seconds, of each edit that has arrived since the last call."""
        waits, self._waits = self._waits, []
        return waits

    async def leave(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._socket.close()


async def _edit(editors: list[Editor], seconds: float) -> None:
    """Evenly spaced, without waiting for answers; then until each edit is with all the others, however late."""
    gap, started = 1 / (RATE * len(editors)), time.perf_counter()
    turns = itertools.cycle(editors)
    for number in range(int(seconds / gap)):
        await asyncio.sleep(max(0.0, started + number * gap - time.perf_counter()))
        await next(turns).edit()
    expected = int(seconds / gap) * (EDITORS // DOCUMENTS - 1)

    def arrived() -> int:
        return sum(editor.arrived for editor in editors)

    await until(lambda: arrived() >= expected, lambda: f"{arrived()} of {expected} edits arrived")
