"""A client of the Yjs protocols in Python: a document of `pycrdt` over aiohttp's WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from pycrdt import Doc, Map, Text

from actors.documents import wire
from actors.documents.bytes_reader import BytesReader
from actors.documents.cursors import Cursor

PATIENCE = 30.0


class YjsClient:
    """Edits are sent as they are made, while it is connected."""

    def __init__(self, document: "Doc[Any] | None" = None) -> None:
        self.document: Doc[Any] = document if document is not None else Doc()
        self.text: Text = self.document.get("text", type=Text)
        self.body: Map[Any] = self.document.get("body", type=Map)
        self.cursors: dict[int, str] = {}
        self.denied: list[str] = []
        self.closed: int | None = None
        self._known = self.document.get_state()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._news = asyncio.Event()
        self._is_synced = False

    @asynccontextmanager
    async def connected(self, session: aiohttp.ClientSession, url: str, token: str) -> AsyncIterator["YjsClient"]:
        """`url`: of the artifact, by http."""
        async with session.ws_connect(f"{url}/edit", params={"token": token}) as socket:
            self._socket, self._is_synced, self.closed = socket, False, None
            reading = asyncio.get_running_loop().create_task(self._read(socket))
            await socket.send_bytes(wire.ask(self.document.get_state()))
            try:
                await self.until(lambda: self._is_synced or self.closed)
                yield self
            finally:
                self._socket = None
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            await self._take(message.data)
            self._news.set()
        self.closed = socket.close_code
        self._news.set()

    async def _take(self, frame: bytes) -> None:
        if frame[:2] == b"\x02\x00":
            reader = BytesReader(frame[2:])
            self.denied.append(reader.string().decode())
            return
        match wire.read(frame):
            case wire.Ask(vector):
                await self.send(wire.answer(self.document.get_update(vector)))
            case wire.Edit(data, is_answer):
                self.document.apply_update(data)
                self._known = self.document.get_state()
                self._is_synced |= is_answer
            case wire.Show(cursors):
                self.cursors |= {cursor.client: cursor.state for cursor in cursors}

    async def send(self, frame: bytes) -> None:
        assert self._socket is not None
        await self._socket.send_bytes(frame)

    async def edit(self, change: Callable[["YjsClient"], None]) -> None:
        """Offline where it is not connected: then it is sent with the next connection."""
        before = self.document.get_state()
        with self.document.transaction():
            change(self)
        if self._socket is not None:
            await self.send(wire.update(self.document.get_update(before)))

    async def type(self, text: str) -> None:
        def append(client: "YjsClient") -> None:
            client.text += text

        await self.edit(append)

    async def show(self, clock: int, state: str) -> None:
        await self.send(wire.show([Cursor(self.document.client_id, clock, state)]))

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()
