"""A server whose changes are shipped while it runs."""

import asyncio
import base64
import os
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import Xp
from tests.cli.serving.own_commands import fork_own_commands
from tests.cli.serving.test_backup_schedule import metrics, until
from tests.serving import serving
from tests.tokens import SECRET

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    return {"BACKUP_CONTINUOUS": "200ms", "BACKUP_URL": str(tmp_path / "shelf"), "BACKUP_KEY": KEY}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    fork_own_commands(
        monkeypatch, CONTINUOUS_PAUSE_SECONDS=0, SHIPPING_STATE_SECONDS=0.05, SHIPPING_FILES_SECONDS=0.05,
        SHIPPING_RETRY_SECONDS=0.2,
    )  # fmt: skip


@pytest.mark.usefixtures("quick")
async def test_what_was_written_last_comes_back_without_the_disk(tmp_path: Path, places: dict[str, str]) -> None:
    async with serving(tmp_path / "data", **places) as server:
        alice = server.client("alice")
        thread = await alice.thread()
        backups = server.services.backups
        await until(lambda: backups.good_at is not None)  # the lineage has its backup
        await alice.say(thread, "the first to be shipped")
        await until(lambda: backups.shipping.shipped_at is not None and backups.shipping.lag_seconds() == 0)
        text = await metrics(server)
        assert "xp_backup_lag_seconds 0.0" in text
        assert "xp_backup_segments_total" in text
        status = (await server.client("root", role="ADMIN").get("/api/v1/admin/status")).data
        assert (status["backups"]["continuous"]["lag_seconds"], status["backups"]["is_scheduled"]) == (0, True)
        assert backups.results == {"good": 1}
        beside, words = Xp(tmp_path / "data"), ("files", "put", "-", "--name", "a.txt", "--as", "alice@rpotential.ai")
        put = await asyncio.to_thread(lambda: beside(*words, "--json", stdin="a file", JWT_SECRET=SECRET.decode()))
        copies = tmp_path / "shelf" / "files"
        await until(lambda: any(len(path.name) == 64 for path in copies.rglob("*")))
        await alice.say(thread, "the last words")
    xp = Xp(tmp_path / "another")
    ran = await asyncio.to_thread(lambda: xp("db", "restore", "newest", JWT_SECRET=SECRET.decode(), **places))
    assert ran.code == 0, ran
    ran = await asyncio.to_thread(lambda: xp("db", "query", "SELECT content FROM message", "--json"))
    assert "the last words" in ran.out
    ran = await asyncio.to_thread(lambda: xp("files", "get", put.json["id"], "-"))
    assert ran.out == "a file"


@pytest.mark.usefixtures("quick")
async def test_a_shelf_that_is_away_is_seen_and_forgotten(tmp_path: Path, places: dict[str, str]) -> None:
    (tmp_path / "shelf").write_text("in the way")
    async with serving(tmp_path / "data", **places) as server:
        alice, backups = server.client("alice"), server.services.backups
        shipping = backups.shipping
        await until(lambda: bool(shipping.lineage))
        await alice.thread()
        await until(lambda: shipping.failing_since is not None and shipping.waiting > 0)
        assert "expected a folder that this user may write" in shipping.reason
        await until(lambda: backups.failing_since is not None)
        (tmp_path / "shelf").unlink()
        await until(lambda: shipping.failing_since is None and shipping.behind_since is None)
        assert shipping.segments >= 1, "what waited was shipped"
        await until(lambda: backups.good_at is not None and shipping.lag_seconds() == 0)  # a backup was tried at once


async def test_the_process_that_ships_is_started_again(
    tmp_path: Path, places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.SHIPPING_AGAIN_SECONDS", 0.01)
    async with serving(tmp_path / "data", **places) as server:
        shipping = server.services.backups.shipping
        await until(lambda: bool(shipping.lineage))
        first = shipping.lineage
        (pid,) = [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and _ships(int(entry), tmp_path)]
        os.kill(pid, signal.SIGKILL)
        await until(lambda: shipping.lineage not in ("", first))


def _ships(pid: int, folder: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return b"ship" in words and str(folder).encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
