"""A clamd of real sockets that says and does what a test wants, and reads the protocol to the letter."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from server.outbound.scanner.clamd import Clamd
from server.outbound.scanner.location import ClamdTcp


@dataclass
class Session:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pieces: list[bytes] = field(default_factory=list)

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces)

    async def command(self) -> bytes:
        return await self.reader.readuntil(b"\0")

    async def piece(self) -> bytes:
        """Empty: the stream has ended."""
        length = int.from_bytes(await self.reader.readexactly(4))
        data = await self.reader.readexactly(length)
        self.pieces.append(data)
        return data

    async def whole_file(self) -> None:
        while await self.piece():
            pass

    async def say(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()


Behaviour = Callable[[Session], Awaitable[None]]


@dataclass
class ClamdServer:
    client: Clamd
    sessions: list[Session] = field(default_factory=list)


@contextlib.asynccontextmanager
async def clamd_that(behave: Behaviour) -> AsyncIterator[ClamdServer]:
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        session = Session(reader, writer)
        made.sessions.append(session)
        try:
            await behave(session)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made = ClamdServer(Clamd(ClamdTcp("127.0.0.1", server.sockets[0].getsockname()[1])))
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
