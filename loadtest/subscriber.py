"""One simulated user: a WebSocket with its subscriptions, which comes back with its cursors when it is lost."""

import asyncio
import contextlib
import random
from collections.abc import Iterator, Sequence
from typing import Any

from actors import limits
from loadtest.api import Api
from loadtest.cursors import Cursor
from loadtest.figures import Figures
from loadtest.marks import due_of, now
from loadtest.problems import Failed
from loadtest.socket import Push, Socket


class Subscriber:
    """Connected from `start` to `close`. Losses that nobody asked for are counted as errors of `connection`."""

    def __init__(self, api: Api, run: str, threads: Sequence[str], figures: Figures) -> None:
        self.api = api
        self.threads = threads
        self.figures = figures
        self.cursors = {thread: Cursor() for thread in threads}
        self.unrecovered = 0
        """Times that the server could not say what was missed."""
        self.reconnects = 0
        self._run = run
        self._socket: Socket | None = None
        self._ready = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Raises `Failed` where the first connection is refused."""
        await self._connect()
        self._keeping = asyncio.create_task(self._keep())

    async def socket(self) -> Socket:
        """The connection; waits while it is being made again."""
        await self._ready.wait()
        assert self._socket is not None
        return self._socket

    async def rpc(self, method: str, key: str | None = None, **data: Any) -> Any:
        """An operation. Where we lose the connection ourselves meanwhile it is asked for again over the next one, with
        the same idempotency key, as clients do. Raises `Failed`."""
        if key is not None:
            data["idempotency_key"] = key
        while True:
            socket = await self.socket()
            try:
                return await socket.rpc(method, **data)
            except Failed:
                if not socket.was_cut:
                    raise

    async def lose(self) -> None:
        """Be cut off, and wait until all subscriptions are back."""
        socket = await self.socket()
        self._ready.clear()
        socket.cut()
        await self._ready.wait()

    async def close(self) -> None:
        self._is_closing = True
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    async def _keep(self) -> None:
        while True:
            assert self._socket is not None
            code = await asyncio.shield(self._socket.ended)
            if self._ready.is_set():
                self.figures.failed("connection", f"closed_{code}", now())
            self._ready.clear()
            await self._socket.close()
            await self._return()

    async def _return(self) -> None:
        """Until it succeeds, with growing pauses that are not the same for everyone."""
        pause = 0.05
        while True:
            with contextlib.suppress(Failed):
                await self._connect()
                self.reconnects += 1
                return
            await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 - a pause
            pause = min(pause * 2, limits.LOAD_RECONNECT_SECONDS)

    async def _connect(self) -> None:
        socket = await Socket.open(self.api, self._take)
        try:
            for thread in self.threads:
                await self._subscribe(socket, thread)
        except BaseException:
            await socket.close()
            raise
        self._socket = socket
        self._ready.set()

    async def _subscribe(self, socket: Socket, thread: str) -> None:
        cursor = self.cursors[thread]
        wanted: dict[str, Any] = {}
        if cursor.epoch:
            wanted = {"recover": True, "epoch": cursor.epoch, "offset": cursor.offset}
        await socket.ask(
            "subscribe", lambda answer: self._subscribed(cursor, answer, bool(wanted)),
            channel=f"thread:{thread}", **wanted,
        )  # fmt: skip

    def _subscribed(self, cursor: Cursor, answer: dict[str, Any], recovers: bool) -> None:
        if recovers and answer.get("recovered"):
            for publication in answer.get("publications", ()):
                cursor.take(publication["offset"])
        else:
            self.unrecovered += recovers
            cursor.offset = answer.get("offset", 0)
        cursor.epoch = answer["epoch"]

    def _take(self, push: Push) -> None:
        _, _, thread = push.get("channel", "").partition("thread:")
        publication = push.get("pub")
        if publication is None or thread not in self.cursors:
            return
        offset = publication.get("offset")
        if offset is not None and not self.cursors[thread].take(offset):
            return
        self._measure(publication["data"])

    def _measure(self, event: dict[str, Any]) -> None:
        data = event["data"]
        if event["type"] == "message.created":
            due = due_of(self._run, data.get("content"))
            if due is not None:
                self.figures.delivered(due, now())
        elif event["type"] == "message.delta" and data["index"] == 0:
            due = due_of(self._run, data["text"])
            if due is not None:
                self.figures.first_words.add(now() - due)

    def behind(self, heads: dict[str, int]) -> Iterator[str]:
        """Threads of which it has not yet got the newest event."""
        return (thread for thread, cursor in self.cursors.items() if cursor.offset < heads.get(thread, 0))
