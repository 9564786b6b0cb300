"""HTTP as bytes on one connection, for what a well-behaved client would not send."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from multidict import CIMultiDict

from tests.serving import Answer

PATIENCE = 30.0


class RawConnection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *lines: str | bytes, body: bytes = b"") -> None:
        """Send a request: its first line, its headers (`Host` goes with them), its body."""
        encoded = [line.encode() if isinstance(line, str) else line for line in lines]
        if not any(line.lower().startswith(b"host:") for line in encoded):
            encoded.append(b"Host: localhost")
        self.writer.write(b"\r\n".join(encoded) + b"\r\n\r\n" + body)
        await self.writer.drain()

    async def head(self) -> Answer:
        """The next answer without its body, which it may not have or never end."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = CIMultiDict(tuple(line.split(": ", 1)) for line in head[1:] if line)
            return Answer(int(head[0].split()[1]), headers, b"")

    async def answer(self) -> Answer:
        """The next answer; its body is as long as it says."""
        head = await self.head()
        async with asyncio.timeout(PATIENCE):
            return Answer(head.status, head.headers, await self.reader.readexactly(_length(head.headers)))

    async def ask(self, *lines: str | bytes, body: bytes = b"") -> Answer:
        await self.send(*lines, body=body)
        return await self.answer()

    def cut(self) -> None:
        """Be gone without a goodbye."""
        self.writer.transport.abort()


def _length(headers: Mapping[str, str]) -> int:
    return int(headers.get("Content-Length", 0))


@asynccontextmanager
async def raw_connection(url: str) -> AsyncIterator[RawConnection]:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.close()
