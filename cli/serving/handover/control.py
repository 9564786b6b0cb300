"""Where `xp deploy` asks the running server to hand over: a socket in the data folder, for its own user and root."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from actors import limits

FILE_NAME: Final = "deploy.sock"

Say = Callable[[str, str], None]
"""Tell the operator something: `said`, and at the end `done` or `failed`."""
Answer = Callable[[dict[str, Any], Say], Awaitable[None]]
"""Do what was asked for; cancelled when the operator has gone."""


class Control:
    """Conversations with operators, which may last longer than the server listens for new ones."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._conversations: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def listening(self, folder: Path) -> AsyncIterator[None]:
        """Take requests while inside. The caller holds the lock of the folder."""
        with _bound(folder) as listener:
            server = await asyncio.start_unix_server(self._take, sock=listener, limit=limits.HANDOVER_MESSAGE_BYTES)
            try:
                yield
            finally:
                server.close()

    async def close(self) -> None:
        """Let operators know how theirs ended, then end."""
        if self._conversations:
            _, left = await asyncio.wait(self._conversations, timeout=limits.HANDOVER_FAREWELL_SECONDS)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)
        with contextlib.suppress(ConnectionError):
            await _converse(reader, writer, self._answer)


@contextlib.contextmanager
def address(folder: Path) -> Iterator[str]:
    """Of the socket. Its path may be longer than the 107 bytes that an address has, so Linux is asked by the folder's
    descriptor."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        short = f"/proc/self/fd/{descriptor}/{FILE_NAME}"
        yield short if os.path.exists(os.path.dirname(short)) else str(folder / FILE_NAME)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _bound(folder: Path) -> Iterator[socket.socket]:
    path = folder / FILE_NAME
    path.unlink(missing_ok=True)  # of a server that was killed
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        with address(folder) as short:
            listener.bind(short)
        path.chmod(0o600)
        own = path.stat().st_ino
        try:
            yield listener
        finally:
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == own:  # a new server may have put its own there
                    path.unlink()


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
    def say(kind: str, sentence: str) -> None:
        writer.write(orjson.dumps({kind: sentence}) + b"\n")

    try:
        if not _is_trusted(writer.get_extra_info("socket")):
            say("failed", "Only the user of the server and root may ask it to hand over.")
        else:
            asked = orjson.loads(await reader.readline())
            await _unless_gone(reader, asyncio.ensure_future(answer(asked, say)))
        await writer.drain()
    except ValueError:
        say("failed", "The request cannot be read: xp deploy is of another release.")
    finally:
        writer.close()


async def _unless_gone(reader: asyncio.StreamReader, work: "asyncio.Future[None]") -> None:
    """Cancel the work when the operator has gone (Ctrl-C)."""
    gone = asyncio.ensure_future(reader.read())
    both: set[asyncio.Future[Any]] = {work, gone}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not work.done():
            work.cancel()
        await asyncio.wait({work})
    if not work.cancelled():
        work.result()


def _is_trusted(connection: socket.socket) -> bool:
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True  # the mode of the socket's file says the same
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return user in (0, os.geteuid())
