"""Uploads on disk: a file each, as long as what has come, with the hash of it."""

import asyncio
import hashlib
import os
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors import limits
from actors.errors import StorageFull, TooLarge
from actors.identifiers import new_id
from server.files.uploads.disk_pace import DiskPace
from server.files.uploads.receiving import Appender
from server.files.uploads.staging import StagedFile, Staging

CONTENT = os.urandom(1_000_000)


@pytest.fixture
async def staging(tmp_path: Path) -> AsyncIterator[Staging]:
    staging = Staging(tmp_path, DiskPace(lambda: 0))
    yield staging
    staging.close()


async def append(staging: Staging, file: StagedFile, content: bytes, piece: int = 10_000) -> None:
    appender = Appender(staging, file, 10_000_000)
    for start in range(0, len(content), piece):
        await appender.add(content[start : start + piece])
    await appender.end()


@pytest.mark.parametrize("piece", [1_000, 65_536, 300_000])
async def test_what_comes_in_pieces_is_one_file_with_its_hash(staging: Staging, piece: int) -> None:
    upload = new_id()
    file = await staging.open(upload)
    await append(staging, file, CONTENT, piece)
    staged = await staging.finish(file)
    assert staged.path.read_bytes() == CONTENT
    assert (staged.size, staged.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert staged.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("is_remembered", [True, False])
async def test_it_goes_on_where_it_was(tmp_path: Path, is_remembered: bool) -> None:
    upload, first = new_id(), Staging(tmp_path, DiskPace(lambda: 0))
    file = await first.open(upload)
    await append(first, file, CONTENT[:400_001])
    await first.close_file(upload, file)
    assert first.path(upload).stat().st_size == 400_001
    first.close()
    second = Staging(tmp_path, DiskPace(lambda: 0))
    if is_remembered:
        second._hashes = first._hashes
    file = await second.open(upload)
    assert file.size == 400_001
    await append(second, file, CONTENT[400_001:])
    assert (await second.finish(file)).sha256 == hashlib.sha256(CONTENT).hexdigest()
    second.close()


async def test_a_hash_of_other_bytes_is_not_believed(staging: Staging) -> None:
    upload = new_id()
    file = await staging.open(upload)
    await append(staging, file, b"0123456789")
    await staging.close_file(upload, file)
    os.truncate(staging.path(upload), 4)
    file = await staging.open(upload)
    assert file.hash.hexdigest() == hashlib.sha256(b"0123").hexdigest()
    file.close()


async def test_few_hashes_are_remembered(staging: Staging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPLOADS_REMEMBERED", 2)
    for _ in range(5):
        upload = new_id()
        await staging.close_file(upload, await staging.open(upload))
    assert len(staging._hashes) == 2


async def test_more_than_was_announced_is_refused(staging: Staging) -> None:
    file = await staging.open(new_id())
    appender = Appender(staging, file, 10)
    await appender.add(b"0123456789")
    with pytest.raises(TooLarge):
        await appender.add(b"x")
    await appender.end()
    assert file.size == 10
    file.close()


async def test_a_full_disk_is_said_and_what_was_there_is_kept(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await staging.open(new_id())
    await append(staging, file, b"before")
    monkeypatch.setattr(limits, "FREE_DISK_BYTES", 1 << 60)
    with pytest.raises(StorageFull):
        await append(staging, file, b"after")
    assert (file.size, file.path.read_bytes()) == (6, b"before")
    file.close()


def test_a_disk_that_fills_in_the_middle_of_a_piece_keeps_whole_pieces(tmp_path: Path) -> None:
    """A limit of the process's own stands in for it: the kernel writes what fits, then refuses."""
    file = StagedFile(tmp_path / "upload")
    file.append([b"before"])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(StorageFull):
            file.append([b"after it"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (file.size, file.path.read_bytes()) == (6, b"before")
    file.append([b" and after"])
    assert file.path.read_bytes() == b"before and after"
    assert file.hash.hexdigest() == hashlib.sha256(b"before and after").hexdigest()
    file.close()


async def test_pieces_that_come_slowly_are_written_at_once_and_many_together(staging: Staging) -> None:
    file = await staging.open(new_id())
    appender = Appender(staging, file, 10_000_000)
    await appender.add(b"a")
    for _ in range(1_000):
        await appender.add(b"b" * 1_000)
        assert appender._gathered_bytes < limits.TRANSFER_PIECE_BYTES + 1_000
    await appender.end()
    assert file.size == 1_000_001
    file.close()


async def test_a_request_that_is_cancelled_leaves_no_write_half_done(staging: Staging) -> None:
    file = await staging.open(new_id())
    appending = asyncio.ensure_future(staging.run(file.append, [CONTENT] * 20))
    await asyncio.sleep(0)
    appending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await appending
    assert file.size == 20 * len(CONTENT)
    file.close()


async def test_a_piece_with_a_checksum_is_taken_over_whole(staging: Staging) -> None:
    file = await staging.open(new_id())
    piece = file.beside()
    await append(staging, file, b"before ")
    await append(staging, piece, CONTENT)
    await staging.run(file.take, piece)
    assert file.path.read_bytes() == b"before " + CONTENT
    assert file.size == 7 + len(CONTENT)
    await append(staging, file, b" after")
    assert file.path.read_bytes() == b"before " + CONTENT + b" after"
    assert (await staging.finish(file)).sha256 == hashlib.sha256(b"before " + CONTENT + b" after").hexdigest()
    piece.discard()
    assert [found.name for found in file.path.parent.iterdir()] == [file.path.name]
