"""A TCP proxy whose connections a test can cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.connections = 0
        self.cut_after: list[int] = []
        """How many bytes the next connections may bring the client before they are cut, in the middle of a frame or
        not; once the list is empty, connections last."""
        self.cut_sent_after: list[int] = []
        """How many bytes the next clients may send before they are cut, without a goodbye."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, there_writer}
        most = self.cut_after.pop(0) if self.cut_after else None
        sent = self.cut_sent_after.pop(0) if self.cut_sent_after else None
        await asyncio.gather(self._pump(reader, there_writer, sent), self._pump(there_reader, writer, most))
        if sent is not None:
            writer.transport.abort()
        self._writers -= {writer, there_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None = None) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if most is not None:
                    data, most = data[:most], most - len(data)
                writer.write(data)
                await writer.drain()
                if most is not None and most <= 0:
                    break
        writer.close()

    def sever(self) -> None:
        """Cut every connection, without a goodbye."""
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.sever()
