"""Workers may hang, crash, take memory or lie: the server gets a reason, and the next file its preview."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from server.previews.limits import WorkerLimits
from server.previews.preview import Preview, PreviewFailed
from server.previews.previewer import Previewer
from tests.server.previews.conftest import MISBEHAVING


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("text")
    return path


async def _make(previewer: Previewer, file: Path, media_type: str, into: str = "into") -> Preview:
    return await previewer.preview(file, media_type, file.parent / into)


async def _failure(previewer: Previewer, file: Path, media_type: str) -> PreviewFailed:
    """The next file has a preview, and nothing is left of this one's."""
    with pytest.raises(PreviewFailed) as failed:
        await _make(previewer, file, media_type)
    assert not (file.parent / "into").exists()
    assert (await _make(previewer, file, "text/plain", "next")).text == "text"
    return failed.value


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def _until_dead(pid: int) -> None:
    await _until(lambda: not _is_alive(pid))


async def _child(file: Path) -> int:
    """The process that the maker of `test/child` starts."""
    path = file.parent / "child"
    await _until(lambda: path.exists() and path.read_text() != "")
    return int(path.read_text())


async def _pid(previewer: Previewer, file: Path) -> int:
    return int((await _make(previewer, file, "test/environment", "pid")).metadata["pid"])


@pytest.mark.parametrize(
    ("media_type", "reason", "retryable"),
    [
        ("test/burn", "SIGXCPU", False),
        ("test/memory", "more memory than a preview may have", False),
        ("test/crash", "SIGSEGV", False),
        ("test/killed", "SIGKILL", True),
        ("test/disk", "File too large", False),
        ("test/full", "the server's disk is full", True),
        ("test/files", "Too many open files", False),
        ("test/missing", "No such file", False),
        ("test/link", "small.webp is no file", False),
        ("test/flood", "bytes of text", False),
    ],
)
async def test_a_worker_that_misbehaves_is_a_failure_of_one_file(
    misbehaving: Previewer, file: Path, media_type: str, reason: str, retryable: bool
) -> None:
    failed = await _failure(misbehaving, file, media_type)
    assert reason in failed.reason
    assert failed.retryable is retryable


async def test_a_worker_that_hangs_is_killed_with_what_it_has_started(misbehaving: Previewer, file: Path) -> None:
    pid = await _pid(misbehaving, file)
    waiting = asyncio.create_task(_make(misbehaving, file, "test/child"))
    child = await _child(file)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await _until_dead(pid)
    await _until_dead(child)
    assert await _pid(misbehaving, file) != pid


async def test_a_job_has_so_much_time_by_the_clock(file: Path) -> None:
    previewer = Previewer(workers=1, module=MISBEHAVING, limits=WorkerLimits(seconds=1.5))
    try:
        failed = await _failure(previewer, file, "test/hang")
    finally:
        await previewer.close()
    assert failed.reason == "it takes more than 1.5 seconds"
    assert not failed.retryable


async def test_what_a_library_prints_is_no_reply(misbehaving: Previewer, file: Path) -> None:
    assert (await _make(misbehaving, file, "test/print")).text == "true"


async def test_a_worker_sees_no_secrets(misbehaving: Previewer, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "secret")
    seen = (await _make(misbehaving, file, "test/environment")).text
    assert seen is not None
    assert "PATH" in seen.split("\n")
    assert "JWT_SECRET" not in seen


async def test_workers_start_with_the_first_job_and_are_used_again(misbehaving: Previewer, file: Path) -> None:
    before = {child.pid for child in psutil.Process().children()}
    first = await _pid(misbehaving, file)
    assert first not in before
    assert await _pid(misbehaving, file) == first


async def test_a_worker_is_replaced_after_so_many_jobs(file: Path) -> None:
    previewer = Previewer(workers=1, module=MISBEHAVING, limits=WorkerLimits(jobs=2))
    try:
        pids = [await _pid(previewer, file) for _ in range(4)]
    finally:
        await previewer.close()
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_an_idle_worker_ends(file: Path) -> None:
    previewer = Previewer(workers=1, module=MISBEHAVING, limits=WorkerLimits(idle_seconds=0.01))
    try:
        await _until_dead(await _pid(previewer, file))
    finally:
        await previewer.close()


async def test_a_worker_that_died_between_two_jobs_is_replaced(misbehaving: Previewer, file: Path) -> None:
    pid = await _pid(misbehaving, file)
    os.kill(pid, 9)
    await _until_dead(pid)
    try:
        following = await _pid(misbehaving, file)
    except PreviewFailed as failed:  # its death was noticed only when it had the job: that may be tried again
        assert failed.retryable  # noqa: PT017
        following = await _pid(misbehaving, file)
    assert following != pid


async def test_there_are_no_more_workers_than_allowed(file: Path) -> None:
    previewer = Previewer(workers=2, module=MISBEHAVING)
    try:
        made = await asyncio.gather(*(_make(previewer, file, "test/environment", str(n)) for n in range(8)))
    finally:
        await previewer.close()
    assert len({preview.metadata["pid"] for preview in made}) <= 2


async def test_more_files_than_may_wait_are_refused_for_now(file: Path) -> None:
    previewer = Previewer(workers=1, waiting=1, module=MISBEHAVING)
    jobs = [asyncio.create_task(_make(previewer, file, "test/child", str(n))) for n in range(2)]
    try:
        await _child(file)
        with pytest.raises(PreviewFailed, match="more than 1 files wait") as failed:
            await _make(previewer, file, "text/plain")
        assert failed.value.retryable
    finally:
        await previewer.close()
        await asyncio.gather(*jobs, return_exceptions=True)


async def test_closing_ends_what_runs_and_what_waits(misbehaving: Previewer, file: Path) -> None:
    pid = await _pid(misbehaving, file)
    jobs = [asyncio.create_task(_make(misbehaving, file, "test/child", str(n))) for n in range(3)]
    child = await _child(file)
    await misbehaving.close()
    for failed in await asyncio.gather(*jobs, return_exceptions=True):
        assert isinstance(failed, PreviewFailed)
        assert failed.retryable
    assert not _is_alive(pid)
    await _until_dead(child)
    with pytest.raises(PreviewFailed, match="closing"):
        await _make(misbehaving, file, "text/plain")


async def test_the_event_loop_and_the_memory_of_the_server_are_unmoved(misbehaving: Previewer, file: Path) -> None:
    lags: list[float] = []
    loop = asyncio.get_running_loop()

    async def measure() -> None:
        while True:
            before = loop.time()
            await asyncio.sleep(0.005)
            lags.append(loop.time() - before - 0.005)

    await _pid(misbehaving, file)
    memory = psutil.Process().memory_info().rss
    measuring = asyncio.create_task(measure())
    for media_type in ("test/memory", "test/crash", "test/flood"):
        with pytest.raises(PreviewFailed):
            await _make(misbehaving, file, media_type)
    measuring.cancel()
    assert sorted(lags)[len(lags) * 95 // 100] < 0.1
    assert psutil.Process().memory_info().rss - memory < 32 * 1024 * 1024
