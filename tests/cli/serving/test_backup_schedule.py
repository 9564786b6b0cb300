"""A server that makes backups by itself."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from storage.backups import record
from tests.cli.conftest import Xp
from tests.cli.serving.own_commands import fork_own_commands
from tests.serving import Server, serving
from tests.tokens import SECRET

KEY = base64.b64encode(bytes(range(32))).decode()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    return {"BACKUP_SCHEDULE": "1d", "BACKUP_URL": str(tmp_path / "shelf"), "BACKUP_KEY": KEY}


@pytest.fixture
async def server(tmp_path: Path, places: dict[str, str]) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", **places) as running:
        yield running


async def metrics(server: Server) -> str:
    async with server.session.get(f"{server.url}/metrics") as response:
        return await response.text()


async def test_the_first_at_once_and_none_before_the_next_is_due(
    server: Server, tmp_path: Path, places: dict[str, str]
) -> None:
    await server.client("alice").thread()
    state = server.services.backups
    await until(lambda: state.good_at is not None)
    assert (state.results, state.failing_since, state.late_seconds()) == ({"good": 1}, None, 0.0)
    assert [path.name for path in (tmp_path / "shelf").glob("*.xpb")] == [state.name]
    text = await metrics(server)
    assert 'xp_backups_total{result="good"} 1.0' in text
    assert "xp_backup_late_seconds 0.0" in text
    xp = Xp(tmp_path / "data")
    assert await asyncio.to_thread(lambda: xp("db", "rehearse", JWT_SECRET=SECRET.decode(), **places).code) == 0
    due = state.due_at
    async with serving(tmp_path / "another", **places | {"BACKUP_SCHEDULE": ""}) as other:
        assert not other.services.backups.is_scheduled
    assert state.due_at == due


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    fork_own_commands(monkeypatch)


@pytest.mark.usefixtures("quick")
async def test_a_restart_makes_no_backup_again(tmp_path: Path, places: dict[str, str]) -> None:
    for expected in (1, 0):
        async with serving(tmp_path / "data", **places) as server:
            state = server.services.backups
            await until(lambda: state.good_at is not None)  # noqa: B023 - awaited before the next
            assert state.results.total() == expected
            assert state.due_at == (state.good_at or 0) + 24 * 3600 * 1000
    assert len(list((tmp_path / "shelf").glob("*.xpb"))) == 1


@pytest.mark.usefixtures("quick")
async def test_a_failure_is_logged_counted_and_tried_again_later(
    tmp_path: Path, places: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "shelf").write_text("in the way")
    async with serving(tmp_path / "data", **places) as server:
        state = server.services.backups
        await until(lambda: bool(state.results))
        await until(lambda: state.failing_since is not None)
        assert state.results == {"failed": 1}
        assert "expected a folder that this user may write" in state.reason
        assert 'xp_backups_total{result="failed"} 1.0' in await metrics(server)
        assert state.late_seconds() > 0
    assert "the backup is failed" in caplog.text
    (tmp_path / "shelf").unlink()
    async with serving(tmp_path / "data", **places) as server:
        assert server.services.backups.failing_since is not None, "it is tried after a quarter of an hour"
        assert server.services.backups.results.total() == 0


async def test_a_server_that_stops_ends_a_backup(tmp_path: Path, places: dict[str, str]) -> None:
    async with serving(tmp_path / "data", **places) as server:
        await server.client("alice").me()
    assert record.read(tmp_path / "data").good_at is None
    async with serving(tmp_path / "data", **places) as server:
        await until(lambda: server.services.backups.good_at is not None)


AHEAD = 4_000_000_000_000
"""In the year 2096."""


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "noted",
    [
        record.Record(good_at=AHEAD, name="of a clock that was wrong"),
        record.Record(good_at=1, name="long ago", failed_at=AHEAD, failing_since=AHEAD, reason="full"),
    ],
    ids=["good", "failed"],
)
async def test_what_was_noted_while_the_clock_was_ahead_puts_no_backup_off(
    tmp_path: Path, places: dict[str, str], noted: record.Record
) -> None:
    (tmp_path / "data").mkdir()
    record.write(tmp_path / "data", noted)
    async with serving(tmp_path / "data", **places) as server:
        state = server.services.backups
        await until(lambda: state.results.total() > 0)
        await until(lambda: state.name != noted.name)
        assert (state.results, state.failing_since) == ({"good": 1}, None)
        assert (state.good_at or 0) < (state.due_at or 0) < AHEAD
