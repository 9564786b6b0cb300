"""A client of clamd: one connection a file, its bytes by INSTREAM, so that clamd needs no access to our files.

The protocol (man 8 clamd): `zINSTREAM\\0`, pieces that each begin with their length in four bytes, a length of zero;
then the answer, ended by a zero byte. Beyond its StreamMaxLength clamd says so, or just closes: that is no verdict.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiofiles
from aiofiles.threadpool.binary import AsyncBufferedReader

from actors import limits
from actors.runtime.unbroken import unbroken_context
from actors.scanner import Clean, Found, ScannerUnavailable, Unavailable, Verdict
from server.outbound.scanner.location import ClamdTcp, ClamdUnix
from server.outbound.scanner.names import shown

_FOUND = re.compile(r"stream: (.+) FOUND", re.DOTALL)
_TOO_LARGE = "size limit exceeded"


class Clamd:
    """Implements `actors.scanner.Scanner`."""

    def __init__(self, location: ClamdTcp | ClamdUnix) -> None:
        self._location = location
        self._turns = asyncio.Semaphore(limits.SCANS_AT_ONCE)

    async def scan(self, path: Path) -> Verdict:
        async with self._turns:
            try:
                async with asyncio.timeout(limits.SCAN_SECONDS), unbroken_context(aiofiles.open(path, "rb")) as file:
                    return await self._judge(file)
            except TimeoutError:
                return self._unavailable("took too long")
            except OSError as error:
                reason = f"The file to scan cannot be read: {error.strerror or error}."
                return Unavailable(reason, limits.SCAN_RETRY_SECONDS)

    async def _judge(self, file: AsyncBufferedReader) -> Verdict:
        try:
            return self._verdict(await self._ask_about(file))
        except TimeoutError:
            raise
        except OSError as error:
            return self._unavailable(f"cannot be reached: {error.strerror or error}")

    async def check(self) -> str:
        try:
            async with asyncio.timeout(limits.SCAN_CONNECT_SECONDS), self._connected() as (reader, writer):
                writer.write(b"zVERSION\0")
                answer = await _answer(reader)
        except (TimeoutError, OSError) as error:
            reason = "no answer" if isinstance(error, TimeoutError) else str(error)
            raise ScannerUnavailable(
                f"{self._location} cannot be asked: {reason}. Start it, or change SCAN_URL."
            ) from None
        if not answer.startswith("ClamAV"):
            raise ScannerUnavailable(f"{self._location}: expected the version of ClamAV, got {answer[:80]!r}.")
        return f"{self._location}: {answer[:80]}"

    async def _ask_about(self, file: AsyncBufferedReader) -> str:
        async with self._connected() as (reader, writer):
            answer = asyncio.ensure_future(_answer(reader))
            try:
                writer.write(b"zINSTREAM\0")
                while not answer.done() and (piece := await file.read(limits.SCAN_PIECE_BYTES)):
                    await _send(writer, len(piece).to_bytes(4) + piece)
                if not answer.done():
                    await _send(writer, bytes(4))
                return await answer
            except ConnectionError:
                return await answer  # clamd may have said why before it closed
            finally:
                answer.cancel()
                await asyncio.gather(answer, return_exceptions=True)

    def _verdict(self, answer: str) -> Verdict:
        if answer == "stream: OK":
            return Clean()
        if found := _FOUND.fullmatch(answer):
            return Found(shown(found[1]))
        if _TOO_LARGE in answer:
            reason = f"{self._location} takes no file of this size; raise its StreamMaxLength and MaxFileSize."
            return Unavailable(reason, limits.SCAN_MISFIT_SECONDS)
        if not answer:
            return self._unavailable("closed the connection without a verdict; see StreamMaxLength and its log")
        return self._unavailable(f"answered {answer[:80]!r}")

    def _unavailable(self, what: str) -> Unavailable:
        return Unavailable(f"{self._location} {what}.", limits.SCAN_RETRY_SECONDS)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        async with asyncio.timeout(limits.SCAN_CONNECT_SECONDS):
            reader, writer = await self._connect()
        try:
            yield reader, writer
        finally:
            writer.transport.abort()  # what is left unsent, nobody reads

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._location, ClamdUnix):
            return await asyncio.open_unix_connection(self._location.path)
        return await asyncio.open_connection(self._location.host, self._location.port)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    async with asyncio.timeout(limits.SCAN_SILENT_SECONDS):
        await writer.drain()


async def _answer(reader: asyncio.StreamReader) -> str:
    """Without the zero byte at its end; empty where the connection was closed or broke before."""
    said = bytearray()
    with contextlib.suppress(ConnectionError):
        while len(said) < limits.SCAN_ANSWER_BYTES and (piece := await reader.read(limits.SCAN_ANSWER_BYTES)):
            said += piece
            if b"\0" in piece:
                break
    whole, ended, _ = bytes(said).partition(b"\0")
    return whole.decode("utf-8", "replace").strip() if ended else ""
