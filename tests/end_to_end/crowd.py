"""Many who follow one thread of a server process, over WebSockets and event streams."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import aiohttp

from tests.realtime_client import EventStream, RawClient, raw_client
from tests.serving import ServerProcess


class Socket:
    def __init__(self, client: RawClient) -> None:
        self.client = client

    async def hears(self, text: str) -> None:
        """Wait for an event that holds it."""
        while text not in str(await self.client.push()):
            pass

    async def ends(self) -> int | None:
        """Wait until it is closed; answers with what code."""
        return (await self.client.closed()).code

    async def is_unsubscribed(self) -> int:
        """Wait until it is told so; answers with what code."""
        while "unsubscribe" not in (push := await self.client.push()):
            pass
        return int(push["unsubscribe"]["code"])

    async def has_heard(self, text: str) -> bool:
        """Whether it came after what was waited for."""
        if not self.client.socket.closed:
            await self.client.ask("ping")  # what was written before has come by then
        return text in str(self.client.inbox)


class Stream(EventStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        super().__init__(response)
        self.told: list[dict[str, str]] = []

    async def _block(self) -> dict[str, str]:
        fields = await super()._block()
        self.told.append(fields)
        return fields

    async def hears(self, text: str) -> None:
        while text not in (await self.next())["data"]:
            pass


class Crowd:
    """Opens its connections side by side, and closes them with the stack."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.sockets: list[Socket] = []
        self.streams: list[Stream] = []
        self._stack = stack

    @property
    def everyone(self) -> Sequence[Socket | Stream]:
        return (*self.sockets, *self.streams)

    async def join(
        self, session: aiohttp.ClientSession, server: ServerProcess, token: str, threads: Sequence[str],
        sockets: int, streams: int,
    ) -> None:  # fmt: skip
        """Follow the threads, of which the first is what it is about."""

        async def socket() -> None:
            client = await self._stack.enter_async_context(raw_client(session, server.websocket_url, token))
            await client.subscribe(threads[0])
            self.sockets.append(Socket(client))

        async def stream() -> None:
            response = await self._stack.enter_async_context(ask_for_stream(session, server, token, threads))
            assert response.status == 200, await response.text()
            following = Stream(response)
            await following.begun()
            self.streams.append(following)

        await asyncio.gather(*(socket() for _ in range(sockets)), *(stream() for _ in range(streams)))

    async def hears(self, text: str) -> None:
        await asyncio.gather(*(one.hears(text) for one in self.everyone))


def ask_for_stream(
    session: aiohttp.ClientSession, server: ServerProcess, token: str, threads: Sequence[str], **headers: str
) -> Any:
    url = f"{server.url}/api/v1/events?threads={','.join(threads)}"
    return session.get(url, headers={"Authorization": f"Bearer {token}", **headers}, read_bufsize=2**22)
