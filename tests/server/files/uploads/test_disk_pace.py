"""Uploads leave the disk to messages while these are committed often."""

import asyncio
from pathlib import Path

import pytest

from actors import limits
from actors.identifiers import new_id
from server.files.uploads.disk_pace import DiskPace
from server.files.uploads.receiving import Appender
from server.files.uploads.staging import StagedFile, Staging


class Journal:
    """Its count of commits, and the clock by which they happen."""

    def __init__(self) -> None:
        self.commits, self.now = 0, 100.0

    def passes(self, seconds: float, commits: int) -> None:
        self.now += seconds
        self.commits += commits

    def pace(self) -> DiskPace:
        return DiskPace(lambda: self.commits, lambda: self.now)


@pytest.mark.parametrize(("commits", "is_needed"), [(0, False), (4, False), (5, True), (25, True)])
def test_a_pace_is_needed_while_commits_are_frequent(commits: int, is_needed: bool) -> None:
    journal = Journal()
    pace = journal.pace()
    journal.passes(limits.COMMITS_LOOK_SECONDS, commits)
    assert pace.is_needed() is is_needed
    journal.passes(limits.COMMITS_LOOK_SECONDS, 0)
    assert not pace.is_needed()


def test_between_two_looks_it_stays_as_it_was() -> None:
    journal = Journal()
    pace = journal.pace()
    journal.passes(limits.COMMITS_LOOK_SECONDS / 2, 100)
    assert not pace.is_needed()
    journal.passes(limits.COMMITS_LOOK_SECONDS / 2, 0)
    assert pace.is_needed()


def test_a_burst_of_long_ago_is_not_now() -> None:
    journal = Journal()
    pace = journal.pace()
    journal.passes(60.0, 100)
    assert not pace.is_needed()


async def test_one_piece_at_a_time_and_then_the_disk_rests() -> None:
    pace, steps = DiskPace(lambda: 0), list[tuple[str, float]]()
    time = asyncio.get_running_loop().time

    async def write() -> None:
        steps.append(("begin", time()))
        await asyncio.sleep(0.02)
        steps.append(("end", time()))

    await asyncio.gather(*(pace.run(write) for _ in range(3)))
    assert [step for step, _ in steps] == ["begin", "end"] * 3
    rests = [begun - ended for (_, ended), (_, begun) in zip(steps[1::2], steps[2::2], strict=False)]
    assert min(rests) >= 0.015


async def test_a_disk_that_hung_does_not_rest_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DISK_REST_SECONDS", 0.0)
    journal = Journal()
    pace = journal.pace()

    async def hang() -> None:
        journal.now += 3600.0

    await pace.run(hang)
    async with asyncio.timeout(20):
        await pace.run(hang)


async def test_a_write_that_fails_lets_the_next_one_pass() -> None:
    pace = DiskPace(lambda: 0)

    async def fail() -> None:
        raise OSError("the disk is gone")

    async def write() -> None:
        pass

    with pytest.raises(OSError, match="the disk is gone"):
        await pace.run(fail)
    async with asyncio.timeout(20):
        await pace.run(write)


async def test_a_paced_piece_is_on_the_disk_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And without the pace only at the end."""
    synced: list[int] = []
    monkeypatch.setattr(limits, "TRANSFER_PIECE_BYTES", 100_000)
    save = StagedFile.save
    monkeypatch.setattr(StagedFile, "save", lambda file: (synced.append(file.size), save(file)))
    for is_needed, size, expected in (
        (True, 100_000, [100_000, 200_000, 200_000]),
        (True, 60_000, [120_000, 120_000]),  # a slow line: what it brings is not synced for each piece
        (False, 100_000, [200_000]),
    ):
        synced.clear()
        pace = DiskPace(lambda: 0)
        monkeypatch.setattr(pace, "is_needed", lambda needed=is_needed: needed)
        staging = Staging(tmp_path, pace)
        file = await staging.open(new_id())
        appender = Appender(staging, file, 1_000_000)
        for _ in range(2):
            await appender.add(b"x" * size)
            await appender.end()
        staged = await staging.finish(file)
        assert (staged.size, synced) == (2 * size, expected)
        staging.close()
