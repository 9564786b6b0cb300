"""The client of clamd, against a server that keeps to the protocol, and against one that does not."""

import asyncio
import os
import socket
import struct
from pathlib import Path

import pytest

from actors import limits
from actors.scanner import Clean, Found, ScannerUnavailable, Unavailable
from server.outbound.scanner.clamd import Clamd
from server.outbound.scanner.location import ClamdTcp, ClamdUnix
from tests.server.outbound.scanner.clamd_server import Behaviour, Session, clamd_that
from tests.serving import free_port


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(1_000_000))
    return path


def answering(answer: bytes) -> Behaviour:
    async def behave(session: Session) -> None:
        assert await session.command() == b"zINSTREAM\0"
        await session.whole_file()
        await session.say(answer)

    return behave


async def test_a_clean_file_arrives_whole_in_pieces(file: Path) -> None:
    async with clamd_that(answering(b"stream: OK\0")) as clamd:
        assert await clamd.client.scan(file) == Clean()
    (session,) = clamd.sessions
    assert session.content == await asyncio.to_thread(file.read_bytes)
    assert max(map(len, session.pieces)) <= limits.SCAN_PIECE_BYTES


async def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    async with clamd_that(answering(b"stream: OK\0")) as clamd:
        assert await clamd.client.scan(tmp_path / "empty") == Clean()
    assert clamd.sessions[0].pieces == [b""]


async def test_what_is_found_has_its_name(file: Path) -> None:
    async with clamd_that(answering(b"stream: Eicar-Test-Signature FOUND\0")) as clamd:
        assert await clamd.client.scan(file) == Found("Eicar-Test-Signature")


async def test_a_name_is_made_fit_to_be_shown(file: Path) -> None:
    async with clamd_that(answering(b"stream: \x1b[31mEvil\xff\n" + b"x" * 500 + b" FOUND\0")) as clamd:
        verdict = await clamd.client.scan(file)
    assert isinstance(verdict, Found)
    assert verdict.name.isprintable()
    assert len(verdict.name) <= limits.SCAN_NAME_CHARS


@pytest.mark.parametrize(
    "answer",
    [b"", b"stream: OK", b"stream: OK FOUND?\0", b"UNKNOWN COMMAND\0", b"\0", b"stream: Can't allocate memory ERROR\0",
     b"OK\0", b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100_000],
)  # fmt: skip
async def test_no_other_answer_is_a_verdict(file: Path, answer: bytes) -> None:
    """Not even `OK` without its end: the connection may have broken before FOUND."""
    async with clamd_that(answering(answer)) as clamd:
        verdict = await clamd.client.scan(file)
    assert isinstance(verdict, Unavailable)
    assert verdict.retry_after == limits.SCAN_RETRY_SECONDS
    assert "clamd at 127.0.0.1" in verdict.reason


async def test_beyond_its_stream_limit_clamd_says_so(file: Path) -> None:
    async def behave(session: Session) -> None:
        await session.command()
        await session.piece()
        await session.say(b"INSTREAM size limit exceeded. ERROR\0")

    async with clamd_that(behave) as clamd:
        verdict = await clamd.client.scan(file)
    assert isinstance(verdict, Unavailable)
    assert "StreamMaxLength" in verdict.reason
    assert verdict.retry_after == limits.SCAN_MISFIT_SECONDS


@pytest.mark.parametrize("reset", [False, True])
async def test_or_just_closes(file: Path, reset: bool) -> None:
    async def behave(session: Session) -> None:
        await session.command()
        await session.piece()
        if reset:
            linger = struct.pack("ii", 1, 0)
            session.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            session.writer.transport.abort()

    async with clamd_that(behave) as clamd:
        verdict = await clamd.client.scan(file)
    assert isinstance(verdict, Unavailable)
    assert "StreamMaxLength" in verdict.reason


async def test_nobody_listens(file: Path, tmp_path: Path) -> None:
    for location in (ClamdTcp("127.0.0.1", free_port()), ClamdUnix(tmp_path / "no.sock")):
        verdict = await Clamd(location).scan(file)
        assert isinstance(verdict, Unavailable)
        assert str(location) in verdict.reason
        with pytest.raises(ScannerUnavailable, match="Start it"):
            await Clamd(location).check()


async def test_a_file_that_is_gone(tmp_path: Path) -> None:
    async with clamd_that(answering(b"stream: OK\0")) as clamd:
        verdict = await clamd.client.scan(tmp_path / "gone")
    assert isinstance(verdict, Unavailable)
    assert "cannot be read" in verdict.reason


async def _silent(session: Session) -> None:
    await session.command()
    await asyncio.Event().wait()


async def _silent_after_the_file(session: Session) -> None:
    await session.command()
    await session.whole_file()
    await asyncio.Event().wait()


@pytest.mark.parametrize("behave", [_silent, _silent_after_the_file])
async def test_silence_has_an_end(tmp_path: Path, behave: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCAN_SECONDS", 0.3)
    large = tmp_path / "large"
    large.write_bytes(bytes(20_000_000))
    async with clamd_that(behave) as clamd:
        verdict = await clamd.client.scan(large)
        assert isinstance(verdict, Unavailable)
        assert "took too long" in verdict.reason
        monkeypatch.setattr(limits, "SCAN_CONNECT_SECONDS", 0.1)
        with pytest.raises(ScannerUnavailable, match="no answer"):
            await clamd.client.check()


async def test_scans_take_turns(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCANS_AT_ONCE", 2)
    at_once = most = 0

    async def behave(session: Session) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await session.command()
        await session.whole_file()
        at_once -= 1
        await session.say(b"stream: OK\0")

    async with clamd_that(behave) as clamd:
        verdicts = await asyncio.gather(*(clamd.client.scan(file) for _ in range(8)))
    assert verdicts == [Clean()] * 8
    assert most <= 2


async def test_one_who_stops_waiting_ends_the_scan(file: Path) -> None:
    arrived, ended = asyncio.Event(), asyncio.Event()

    async def behave(session: Session) -> None:
        await session.command()
        arrived.set()
        try:
            while await session.reader.read(1_000_000):
                pass
        finally:
            ended.set()

    async with clamd_that(behave) as clamd:
        scanning = asyncio.create_task(clamd.client.scan(file))
        await arrived.wait()
        scanning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await scanning
        await asyncio.wait_for(ended.wait(), 5)


async def test_the_check_names_the_version() -> None:
    async def behave(session: Session) -> None:
        assert await session.command() == b"zVERSION\0"
        await session.say(b"ClamAV 1.4.3/27500/Sun Nov 29 2026\0")

    async with clamd_that(behave) as clamd:
        assert "ClamAV 1.4.3" in await clamd.client.check()


async def test_the_check_wants_clamd() -> None:
    async def behave(session: Session) -> None:
        await session.say(b"SSH-2.0-OpenSSH_9.2\r\n")

    async with clamd_that(behave) as clamd:
        with pytest.raises(ScannerUnavailable, match="expected the version of ClamAV"):
            await clamd.client.check()
