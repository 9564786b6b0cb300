"""Raw clients of the client protocol over everything that carries it, in both forms, all with one interface."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import WSMsgType

from tests.forms import JSON, PROTOBUF, Form
from tests.realtime_client import PATIENCE, Disconnected, RawClient

CARRIERS: Mapping[str, tuple[str, Form]] = {
    "websocket": ("websocket", JSON),
    "websocket in Protobuf": ("websocket", PROTOBUF),
    "http_stream": ("http_stream", JSON),
    "http_stream in Protobuf": ("http_stream", PROTOBUF),
    "sse": ("sse", JSON),
}


class SocketClient(RawClient):
    """A WebSocket in either form."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, form: Form) -> None:
        super().__init__(socket)
        self.form = form
        self.ignores_own = True

    async def send(self, *commands: dict[str, Any]) -> None:
        await self.send_frame(self.form.encode(*commands))

    async def send_frame(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            await self.socket.send_bytes(frame)
        else:
            await self.socket.send_str(frame)

    async def _read(self) -> None:
        message = await self.socket.receive()
        if message.type is not (WSMsgType.BINARY if self.form is PROTOBUF else WSMsgType.TEXT):
            reason = message.extra if isinstance(message.extra, str) else ""
            raise Disconnected(self.socket.close_code, reason)
        for reply in self.form.decode(message.data):
            await self._take_in(reply)

    async def _take_in(self, reply: dict[str, Any]) -> None:
        if reply:
            self.keep(reply)
        else:
            await self.send_frame(self.form.pong)


class StreamClient(SocketClient):
    """A response that does not end, and requests beside it. Its first commands open it."""

    def __init__(self, session: aiohttp.ClientSession, url: str, kind: str, form: Form, stack: AsyncExitStack) -> None:
        self.form = form
        self.inbox: list[dict[str, Any]] = []
        self.ignores_own = True
        self.response: aiohttp.ClientResponse | None = None
        self.session_id = self.node_id = ""
        self.headers: dict[str, str] = {}
        self._number = 0
        self._session = session
        self._url = url
        self._kind = kind
        self._stack = stack
        self._rest = b""

    async def send_frame(self, frame: str | bytes) -> None:
        if self.response is None:
            await self._open(frame)
        else:
            assert await self.emulate(frame) in (204, 413)

    async def emulate(self, frame: str | bytes) -> int:
        body = self.form.emulated(self.session_id, self.node_id, frame)
        headers = {"Content-Type": self.form.content_type}
        async with self._session.post(f"{self._url}/emulation", data=body, headers=headers) as response:
            return response.status

    async def _open(self, frame: str | bytes) -> None:
        url = f"{self._url}/connection/{self._kind}"
        if self._kind == "sse":
            query = f"?cf_connect={quote(frame)}"
            asking = self._session.get(url + query, headers=self.headers, read_bufsize=2**22)
        else:
            headers = {"Content-Type": self.form.content_type, **self.headers}
            asking = self._session.post(url, data=frame, headers=headers, read_bufsize=2**22)
        self.response = await self._stack.enter_async_context(asking)
        assert self.response.status == 200, await self.response.text()

    async def _read(self) -> None:
        assert self.response is not None
        frame = await self._frame()
        for reply in self.form.decode(frame):
            if end := reply.get("push", {}).get("disconnect"):
                raise Disconnected(end["code"], end["reason"])
            if "session" in (told := reply.get("connect", {})):
                self.session_id, self.node_id = told["session"], told["node"]
            await self._take_in(reply)

    async def _frame(self) -> Any:
        assert self.response is not None
        content = self.response.content
        if self._kind == "http_stream" and self.form is PROTOBUF:
            return await self._delimited()
        lines: list[str] = []
        while True:
            line = (await content.readline()).decode()
            if not line:
                raise Disconnected(None, "the stream has ended")
            if self._kind == "http_stream":
                return line.rstrip("\n")
            if line == "\n":
                return "\n".join(lines)
            assert line.startswith("data: ")
            lines.append(line.rstrip("\n").removeprefix("data: "))

    async def _delimited(self) -> bytes:
        """One reply, with its length."""
        assert self.response is not None
        head, size = b"", 0
        try:
            while not head or head[-1] & 0x80:
                head += await self.response.content.readexactly(1)
                size |= (head[-1] & 0x7F) << (7 * (len(head) - 1))
            return head + await self.response.content.readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise Disconnected(None, "the stream has ended") from error

    async def closed(self) -> Disconnected:
        """What it was told; after that the stream has to end, too."""
        end = await super().closed()
        assert self.response is not None
        async with asyncio.timeout(PATIENCE):
            assert await self.response.content.read() == b""
        return end

    def cut(self) -> None:
        assert self.response is not None
        connection = self.response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()


class Carrier:
    """Opens connections of one kind that close with the test: `await carrier(alice)` is connected already."""

    def __init__(self, session: aiohttp.ClientSession, url: str, name: str, stack: AsyncExitStack) -> None:
        self.name = name
        self.kind, self.form = CARRIERS[name]
        self._session = session
        self._url = url
        self._stack = stack

    @property
    def is_emulated(self) -> bool:
        return self.kind != "websocket"

    async def __call__(self, token: str | None = None, headers: Mapping[str, str] | None = None) -> SocketClient:
        """Connected where a token is given."""
        client = await self._socket(headers) if self.kind == "websocket" else self._stream(headers)
        if token is not None:
            await client.connect(token)
        return client

    async def _socket(self, headers: Mapping[str, str] | None) -> SocketClient:
        protocols = ("centrifuge-protobuf",) if self.form is PROTOBUF else ()
        url = f"{self._url}/connection/websocket"
        asking = self._session.ws_connect(url, max_msg_size=0, compress=0, protocols=protocols, headers=headers)
        return SocketClient(await self._stack.enter_async_context(asking), self.form)

    def _stream(self, headers: Mapping[str, str] | None) -> StreamClient:
        client = StreamClient(self._session, self._url, self.kind, self.form, self._stack)
        client.headers = dict(headers or {})
        return client


@asynccontextmanager
async def carrier_of(session: aiohttp.ClientSession, url: str, name: str) -> AsyncIterator[Carrier]:
    async with AsyncExitStack() as stack:
        yield Carrier(session, url, name, stack)
