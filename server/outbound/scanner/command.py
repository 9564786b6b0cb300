"""A command of the operator's as scanner, with the path of the file as its last argument.

It exits with 0 for a clean file, with 1 for one that is not (the first line it prints is the name of what it found);
anything else is no verdict.
"""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from actors import limits
from actors.scanner import Clean, Found, ScannerUnavailable, Unavailable, Verdict
from server.outbound.scanner.location import Command
from server.outbound.scanner.names import shown

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")
"""Of the environment: the server's own secrets are none of the command's business."""


class CommandScanner:
    """Implements `actors.scanner.Scanner`."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._turns = asyncio.Semaphore(limits.SCANS_AT_ONCE)

    async def scan(self, path: Path) -> Verdict:
        async with self._turns:
            try:
                async with asyncio.timeout(limits.SCAN_SECONDS):
                    return self._verdict(*await self._run(path))
            except TimeoutError:
                return self._unavailable("took too long")
            except OSError as error:
                return self._unavailable(f"cannot be started: {error.strerror or error}")

    async def check(self) -> str:
        program = Path(self._command.arguments[0])
        if not await asyncio.to_thread(os.access, program, os.X_OK) or await asyncio.to_thread(program.is_dir):
            raise ScannerUnavailable(f"{program}: expected a command that this user may run. Change SCAN_URL.")
        return str(self._command)

    async def _run(self, path: Path) -> tuple[int, str]:
        """Its exit code, and what it printed. It and what it has started end with us, one way or the other."""
        process = await asyncio.create_subprocess_exec(
            *self._command.arguments, str(path), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        )  # fmt: skip
        assert process.stdout is not None
        try:
            said = await _beginning(process.stdout)
            return await process.wait(), said
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.shield(process.wait())

    def _verdict(self, code: int, said: str) -> Verdict:
        if code == 0:
            return Clean()
        if code == 1:
            return Found(shown(said.partition("\n")[0]))
        return self._unavailable(f"exited with {code}, where 0 (clean) or 1 (found) was expected")

    def _unavailable(self, what: str) -> Unavailable:
        return Unavailable(f"The scanner {self._command} {what}.", limits.SCAN_RETRY_SECONDS)


async def _beginning(stream: asyncio.StreamReader) -> str:
    """All is read, so that the command can end; the beginning is kept."""
    said = bytearray()
    while piece := await stream.read(limits.SCAN_ANSWER_BYTES):
        said += piece[: limits.SCAN_ANSWER_BYTES - len(said)]
    return said.decode("utf-8", "replace").strip()
