"""Raw clients of the live transports, for tests that want to see every byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from aiohttp import WSMsgType

PATIENCE = 30.0
"""Seconds until a test gives up on what must come at once."""


class Disconnected(Exception):
    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class RawClient:
    """Speaks the WebSocket protocol frame by frame."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.inbox: list[dict[str, Any]] = []
        self.ignores_own = False
        """Whether pushes of one's own channel, which comes with connect, are passed over."""
        self._number = 0

    async def send(self, *commands: dict[str, Any]) -> None:
        """Send commands in one frame."""
        await self.socket.send_str("\n".join(map(json.dumps, commands)))

    def command(self, verb: str, **body: Any) -> dict[str, Any]:
        self._number += 1
        return {"id": self._number, verb: body}

    async def ask(self, verb: str, **body: Any) -> dict[str, Any]:
        """Send a command; answers its reply. Pushes that come before it stay in the inbox."""
        command = self.command(verb, **body)
        await self.send(command)
        return await self.reply(command["id"])

    async def next(self) -> dict[str, Any]:
        """The next message, whatever it is."""
        return await self._take(lambda _: True)

    async def reply(self, number: int) -> dict[str, Any]:
        return await self._take(lambda message: message.get("id") == number)

    async def push(self) -> dict[str, Any]:
        """The next push."""
        return (await self._take(lambda message: "push" in message))["push"]

    async def publications(self, count: int) -> list[dict[str, Any]]:
        return [(await self.push())["pub"] for _ in range(count)]

    async def error(self, verb: str, **body: Any) -> tuple[int, str]:
        """Send a command that is refused; answers code and message."""
        error = (await self.ask(verb, **body))["error"]
        return error["code"], error["message"]

    def cut(self) -> None:
        """Be gone without a goodbye."""
        connection = self.socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()

    async def _take(self, wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while True:
                for index, message in enumerate(self.inbox):
                    if wanted(message):
                        return self.inbox.pop(index)
                await self._read()

    async def _read(self) -> None:
        frame = await self.socket.receive()
        if frame.type is not WSMsgType.TEXT:
            reason = frame.extra if isinstance(frame.extra, str) else ""
            raise Disconnected(self.socket.close_code, reason)
        for line in frame.data.split("\n"):
            if line == "{}":
                await self.socket.send_str("{}")
            else:
                self.keep(orjson.loads(line))

    def keep(self, message: dict[str, Any]) -> None:
        if not (self.ignores_own and message.get("push", {}).get("channel", "").startswith("user:")):
            self.inbox.append(message)

    async def closed(self) -> Disconnected:
        """Wait until the server closes; answers with what."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await self._read()
                except Disconnected as end:
                    return end

    async def connect(self, token: str) -> dict[str, Any]:
        return (await self.ask("connect", token=token))["connect"]

    async def subscribe(self, thread_id: str, **more: Any) -> dict[str, Any]:
        return (await self.ask("subscribe", channel=f"thread:{thread_id}", **more))["subscribe"]


@asynccontextmanager
async def raw_client(
    session: aiohttp.ClientSession, url: str, token: str | None = None, **options: Any
) -> AsyncIterator[RawClient]:
    """A WebSocket, connected where a token is given."""
    async with session.ws_connect(url, max_msg_size=0, compress=0, **options) as socket:
        client = RawClient(socket)
        if token is not None:
            await client.connect(token)
        yield client


class EventStream:
    """Reads server-sent events."""

    def __init__(self, response: aiohttp.ClientResponse, cursor: str | None = None) -> None:
        self.response = response
        self.last_id = cursor
        """What a reconnect sends as `Last-Event-ID`."""

    async def next(self) -> dict[str, str]:
        """The next block that has an event of the log, or says that something is missing: its fields."""
        async with asyncio.timeout(PATIENCE):
            while True:
                fields = await self._block()
                if fields.get("event", "ready") != "ready":
                    return fields

    async def _block(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        while True:
            line = (await self.response.content.readline()).decode()
            if not line:
                raise Disconnected(None, "the stream has ended")
            if line == "\n":
                self.last_id = fields.get("id", self.last_id)
                return fields
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                fields[name] = value

    async def events(self, count: int) -> list[dict[str, str]]:
        return [await self.next() for _ in range(count)]

    async def begun(self) -> None:
        """Wait until the server has said from where it tells."""
        async with asyncio.timeout(PATIENCE):
            while self.last_id is None:
                await self._block()

    async def ended(self) -> None:
        """Wait until the server ends it, whatever it says before."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await self._block()
                except (Disconnected, aiohttp.ClientError):
                    return

    def cut(self) -> None:
        """Be gone without a goodbye."""
        connection = self.response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()


@asynccontextmanager
async def event_stream(
    session: aiohttp.ClientSession, url: str, token: str, cursor: str | None = None
) -> AsyncIterator[EventStream]:
    headers = {"Authorization": f"Bearer {token}"}
    if cursor is not None:
        headers["Last-Event-ID"] = cursor
    async with session.get(url, headers=headers, read_bufsize=2**22) as response:
        assert response.status == 200, await response.text()
        yield EventStream(response, cursor)
