"""Continuous backup while the shelf is away, or a disk is full: the server goes on taking messages, what cannot be
restored is said, and it mends itself. `xp db ship` and `xp db backup` are processes of the server, the disks real."""

import asyncio
import base64
import contextlib
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from storage.backups.continuous import state as states
from storage.database import FILE_NAME
from tests.cli.conftest import Ran, Xp
from tests.cli.serving.own_commands import fork_own_commands
from tests.cli.serving.test_backup_schedule import metrics, until
from tests.cli.serving.test_shipping import KEY
from tests.serving import Client, Server, serving
from tests.small_disk import fill, make_room, small_disk
from tests.storage.blobs.proxy import Proxy
from tests.storage.blobs.s3_servers import KEYS, S3Server, start_moto
from tests.tokens import SECRET

DISK_BYTES = 40 << 20
SPOOL_BYTES = 300_000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    fork_own_commands(
        monkeypatch, ALERT_LOOK_SECONDS=0.05, CONTINUOUS_PAUSE_SECONDS=0, SHIPPING_STATE_SECONDS=0.05,
        SHIPPING_RETRY_SECONDS=0.2, S3_SILENT_SECONDS=2,
    )  # fmt: skip


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "shelf"


@pytest.fixture
def places(shelf: Path) -> dict[str, str]:
    return {
        "BACKUP_CONTINUOUS": "200ms", "BACKUP_URL": str(shelf), "BACKUP_KEY": KEY, "BACKUP_SPOOL": str(SPOOL_BYTES),
        "ALERTS": "backups for 0s",
    }  # fmt: skip


class Watched:
    """A server whose changes are shipped, and what was acknowledged by it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.alice: Client = server.client("alice")
        self.root: Client = server.client("root", role="ADMIN")
        self.thread: Any = None
        self.said: list[str] = []
        self.backups = server.services.backups
        self.shipping = server.services.backups.shipping

    async def begin(self) -> None:
        await self.root.me()
        self.thread = await self.alice.thread()
        await self.say("before")
        await self.settled()

    async def say(self, words: str = "", characters: int = 0) -> None:
        """Words that are no shorter when they are compressed."""
        content = words or base64.b64encode(secrets.token_bytes(characters)).decode()
        answer = await self.alice.post(f"/api/v1/threads/{self.thread['id']}/messages", content=content)
        assert answer.status == 201, answer.raw
        self.said.append(content)

    async def settled(self, *, after: str = "") -> None:
        """The lineage, another one than `after`, has its backup, and nothing waits."""
        await until(lambda: self.shipping.lineage not in ("", after))
        await until(lambda: self._record_lineage() == self.shipping.lineage)
        await until(lambda: self.shipping.failing_since is None and self.backups.failing_since is None)
        await self.shipped()

    async def shipped(self) -> None:
        """What was said last, too: a look that has begun since then found nothing that is not on the shelf."""
        looks = states.read(self.data_dir).look
        await until(lambda: (found := states.read(self.data_dir)).look > looks + 1 and found.behind_since is None)
        await until(lambda: self.shipping.behind_since is None)

    def _record_lineage(self) -> str:
        from storage.backups import record

        return record.read(self.data_dir).lineage

    @property
    def data_dir(self) -> Path:
        return self.server.services.measured_files["database"].parent

    async def failing(self, words: str) -> None:
        """The operator hears of it: in the status, in the metrics, and by the alert."""
        async with asyncio.timeout(60):
            while not _fails(status := (await self.root.get("/api/v1/admin/status")).data, words):  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # between two looks at another process
        assert status["backups"]["continuous"]["lag_seconds"] > 0
        lag = next(line for line in (await metrics(self.server)).splitlines() if line.startswith("xp_backup_lag_sec"))
        assert float(lag.split()[1]) > 0


def _fails(status: Any, words: str) -> bool:
    said = [each["reason"] for each in status["alerts"] if each["state"] == "firing"]
    said.append(status["backups"]["continuous"]["reason"])
    return len(said) > 1 and all(reason and words in reason for reason in said)


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


@contextlib.asynccontextmanager
async def watched(data_dir: Path, places: dict[str, str]) -> AsyncIterator[Watched]:
    async with serving(data_dir, **places) as server:
        made = Watched(server)
        await made.begin()
        yield made


def take_away(shelf: Path) -> None:
    shelf.rename(shelf.with_name("away"))
    shelf.write_text("in the way")


def bring_back(shelf: Path) -> None:
    shelf.unlink()
    shelf.with_name("away").rename(shelf)


async def restored(folder: Path, places: dict[str, str], *words: str) -> tuple[Ran, list[str]]:
    """From the shelf alone, on another machine: what was printed, and the messages."""
    xp = Xp(folder)
    ran = await asyncio.to_thread(lambda: xp("db", "restore", *words, JWT_SECRET=SECRET.decode(), **places))
    assert ran.code == 0, ran
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as database:
        return ran, [content for (content,) in database.execute("SELECT content FROM message ORDER BY id")]


async def test_more_waits_than_may(
    tmp_path: Path, shelf: Path, places: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Segments are dropped and the lineage ends; the next one begins with a backup once the shelf is back, and a time
    in the gap is not passed off as one that was restored."""
    async with watched(tmp_path / "data", places) as all_of_it:
        first, known = all_of_it.shipping.lineage, list(all_of_it.said)
        take_away(shelf)
        await all_of_it.say("the first that is lost")
        await until(lambda: all_of_it.shipping.waiting > 0)
        oldest = all_of_it.shipping.behind_since
        while all_of_it.shipping.lineage == first:
            await all_of_it.say(characters=15_000)
        assert all_of_it.shipping.behind_since == oldest, "since the oldest change that was dropped"
        await all_of_it.failing("more than BACKUP_SPOOL allows, and were dropped")
        assert "more than BACKUP_SPOOL allows" in caplog.text
        spool = list((tmp_path / "data" / states.SPOOL).glob("*.xps"))
        assert sum(path.stat().st_size for path in spool) <= SPOOL_BYTES
        in_the_gap = _now()
        await until(lambda: _now() // 1000 > in_the_gap // 1000)  # backups are dated by the second
        bring_back(shelf)
        await all_of_it.settled(after=first)
        await all_of_it.say("after")
        await all_of_it.shipped()
        said = list(all_of_it.said)
    at = datetime.fromtimestamp(in_the_gap / 1000, UTC).isoformat()
    ran, messages = await restored(tmp_path / "gap", places, "--at", at)
    assert messages == known
    assert "if there were any, cannot be restored." in ran.out
    ran, messages = await restored(tmp_path / "newest", places, "newest")
    assert messages == said
    assert "cannot be restored" not in ran.out


async def test_the_disk_of_the_spool_is_full(tmp_path: Path, places: dict[str, str]) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    with small_disk(tmp_path / "data" / states.SPOOL, DISK_BYTES) as spool:
        async with watched(tmp_path / "data", places) as all_of_it:
            first = all_of_it.shipping.lineage
            fill(spool)
            await all_of_it.say("nobody captures it")
            await all_of_it.failing("No space left on device")
            await all_of_it.say("nor this")
            assert not list(spool.glob("*.partial")), "what was begun takes no room"
            make_room(spool)
            await all_of_it.settled(after=first)
            said = list(all_of_it.said)
        assert (await restored(tmp_path / "newest", places, "newest"))[1] == said


async def test_the_disk_of_the_shelf_is_full(tmp_path: Path, shelf: Path, places: dict[str, str]) -> None:
    with small_disk(shelf, DISK_BYTES):
        async with watched(tmp_path / "data", places) as all_of_it:
            first = all_of_it.shipping.lineage
            fill(shelf)
            await all_of_it.say("it waits")
            await all_of_it.failing("No space left")
            await all_of_it.say("it waits, too")
            make_room(shelf)
            await all_of_it.shipped()
            assert all_of_it.shipping.lineage == first, "nothing was lost, and no backup is needed"
            said = list(all_of_it.said)
        assert (await restored(tmp_path / "newest", places, "newest"))[1] == said


async def test_the_disk_of_everything_is_full(
    tmp_path: Path, places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that ships cannot even note that it fails."""
    monkeypatch.setattr(limits, "SHIPPING_SILENT_SECONDS", 3.0)
    with small_disk(tmp_path / "data", DISK_BYTES) as data:
        async with watched(data, places) as all_of_it:
            fill(data)
            messages = f"/api/v1/threads/{all_of_it.thread['id']}/messages"
            async with asyncio.timeout(30):
                while (answer := await all_of_it.alice.post(messages, content="x" * 10_000)).status == 201:
                    all_of_it.said.append("x" * 10_000)
            assert answer.error["code"] == "storage_unavailable"
            await all_of_it.failing("")
            make_room(data)
            await all_of_it.settled()
            said = list(all_of_it.said)
        assert (await restored(tmp_path / "newest", places, "newest"))[1] == said


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    server = start_moto()
    yield server
    server.stop()


async def test_a_bucket_that_cannot_be_reached(tmp_path: Path, places: dict[str, str], moto: S3Server) -> None:
    """Connections are refused, then requests are not answered; what waits goes out when it is back."""
    moto.make_bucket("away")
    proxy = Proxy(moto.url)
    await proxy.start()
    places |= {
        "BACKUP_URL": f"s3://away/chat?endpoint={proxy.url}",
        "AWS_ACCESS_KEY_ID": KEYS.access_key_id, "AWS_SECRET_ACCESS_KEY": KEYS.secret_access_key,
    }  # fmt: skip
    try:
        async with watched(tmp_path / "data", places) as all_of_it:
            first = all_of_it.shipping.lineage
            await proxy.stop()
            await all_of_it.say("it waits")
            await all_of_it.failing("cannot be reached")
            await proxy.start()
            await all_of_it.shipped()
            proxy.fall_silent()
            await all_of_it.say("it waits, too")
            await until(lambda: all_of_it.shipping.lag_seconds() > 1)
            proxy.silent = False
            await all_of_it.shipped()
            assert all_of_it.shipping.lineage == first, "nothing was lost, and no backup is needed"
            said = list(all_of_it.said)
        assert (await restored(tmp_path / "newest", places, "newest"))[1] == said
    finally:
        await proxy.stop()
