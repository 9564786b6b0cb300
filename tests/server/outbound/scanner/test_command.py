"""A command as scanner."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from actors import limits
from actors.scanner import Clean, Found, ScannerUnavailable, Unavailable, Verdict
from server.outbound.scanner.command import CommandScanner
from server.outbound.scanner.location import Command
from server.outbound.scanner.opening import open_scanner


class Scripts:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "a file; with $odd `name`"
        self.file.write_bytes(b"content")

    def scanner(self, script: str, *arguments: str) -> CommandScanner:
        path = self.folder / "scan"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        return CommandScanner(Command((str(path), *arguments)))

    async def scan(self, script: str, *arguments: str) -> Verdict:
        return await self.scanner(script, *arguments).scan(self.file)


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    return Scripts(tmp_path)


async def test_exit_codes_are_verdicts(scripts: Scripts) -> None:
    assert await scripts.scan("exit 0") == Clean()
    assert await scripts.scan("echo Evil.Thing; echo more; exit 1") == Found("Evil.Thing")
    assert await scripts.scan("exit 1") == Found("unnamed")
    for failing in ("exit 2", "kill -9 $$", "exit 127"):
        verdict = await scripts.scan(failing)
        assert isinstance(verdict, Unavailable)
        assert "where 0 (clean) or 1 (found) was expected" in verdict.reason


async def test_the_file_is_its_last_argument_to_the_letter(scripts: Scripts) -> None:
    assert (
        await scripts.scan(
            f'[ "$1" = --fast ] && [ "$2" = "{scripts.folder}/a file; with \\$odd \\`name\\`" ]', "--fast"
        )
        == Clean()
    )
    assert await scripts.scan('exec grep -q content "$1"') == Clean()


async def test_the_path_that_clamscan_prints_is_not_passed_on(scripts: Scripts) -> None:
    assert await scripts.scan('echo "$1: Win.Test.EICAR_HDB-1 FOUND"; exit 1') == Found("Win.Test.EICAR_HDB-1")


async def test_much_output_is_dropped(scripts: Scripts) -> None:
    verdict = await scripts.scan("head -c 5000000 /dev/zero | tr '\\0' x; exit 1")
    assert verdict == Found("x" * limits.SCAN_NAME_CHARS)


async def test_it_sees_no_secrets(scripts: Scripts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "a secret")
    assert await scripts.scan('[ -z "$JWT_SECRET" ] && [ -n "$PATH" ]') == Clean()


async def test_one_that_hangs_is_ended_with_its_children(scripts: Scripts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCAN_SECONDS", 1.5)
    pids = scripts.folder / "pids"
    verdict = await scripts.scan(f"sleep 60 & echo $! $$ > {pids}; wait")
    assert isinstance(verdict, Unavailable)
    assert "took too long" in verdict.reason
    for pid in map(int, pids.read_text().split()):
        await asyncio.to_thread(_wait_for_the_end_of, pid)


def _wait_for_the_end_of(pid: int) -> None:
    deadline = time.monotonic() + 5
    while _runs(pid):
        assert time.monotonic() < deadline, f"{pid} still runs"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    """Not so of a zombie that its new parent has not collected yet."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


async def test_one_that_is_not_there(scripts: Scripts) -> None:
    for missing in (scripts.folder / "nothing", scripts.folder, scripts.file):
        scanner = open_scanner(Command((str(missing),)))
        verdict = await scanner.scan(scripts.file)
        assert isinstance(verdict, Unavailable)
        assert "cannot be started" in verdict.reason
        if missing != scripts.file or os.getuid() != 0:
            with pytest.raises(ScannerUnavailable, match="this user may run"):
                await scanner.check()
    assert await scripts.scanner("exit 0").check() == str(scripts.folder / "scan")
