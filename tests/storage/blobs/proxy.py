"""A TCP proxy that tests make slow, silent or broken."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit


class Proxy:
    """Between a client and a server on this machine."""

    def __init__(self, target: str) -> None:
        self._port = urlsplit(target).port
        self.url = ""
        self.silent = False
        """Takes requests, and passes nothing on."""
        self.cut_answers_after: list[int] = []
        """Bytes of an answer after which the next connections are cut, one each."""
        self.swallow_answer_to: bytes | None = None
        """Requests with these bytes reach the server, and its answers nobody."""
        self.stop_at: bytes | None = None
        """The request with these bytes is not passed on; then the proxy falls silent, for good."""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Again after `stop`: at the same address."""
        port = urlsplit(self.url).port or 0
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Connections are cut, and new ones refused."""
        assert self._server is not None
        self._server.close()
        self._cut_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def fall_silent(self) -> None:
        self.silent = True
        self._cut_all()

    def _cut_all(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            await _close(writer)
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.silent:
            await asyncio.Event().wait()
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        most = self.cut_answers_after.pop(0) if self.cut_answers_after else None
        swallowing = asyncio.Event()
        up = asyncio.create_task(self._carry_up(reader, to_server, swallowing))
        try:
            while data := await from_server.read(65_536 if most is None else min(most, 65_536)):
                if not swallowing.is_set():
                    writer.write(data)
                    await writer.drain()
                if most is not None and (most := most - len(data)) <= 0:
                    return
        finally:
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)
            await _close(to_server)

    async def _carry_up(
        self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter, swallowing: asyncio.Event
    ) -> None:
        while data := await reader.read(65_536):
            if self.stop_at is not None and self.stop_at in data:
                self.fall_silent()
            if self.swallow_answer_to is not None and self.swallow_answer_to in data:
                swallowing.set()
            to_server.write(data)
            await to_server.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def proxy_to(target: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(target)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
