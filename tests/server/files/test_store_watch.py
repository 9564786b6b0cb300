"""Whether the store of files works is known without asking it, and the rest of the server goes on without it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from server.files.store_watch import StoreWatch
from tests.builders import until
from tests.serving import Client, Server


async def check(client: Client) -> Any:
    return (await client.get("/health")).data["checks"]["files"]


async def test_a_store_that_fails_is_told_and_that_it_works_again(
    server: Server, alice: Client, tmp_path: Path
) -> None:
    assert await check(alice) == {"status": "ok", "reason": None}
    watch = StoreWatch(server.services.files)
    blobs = tmp_path / "data" / "blobs"
    shutil.rmtree(blobs, ignore_errors=True)
    blobs.write_text("no folder")
    await watch.look()
    failing = await check(alice)
    assert failing["status"] == "failing"
    assert str(tmp_path) not in failing["reason"]
    assert (await alice.get("/health/ready")).status == 200
    assert (await alice.get("/health")).data["status"] == "ok"
    blobs.unlink()
    await watch.look()
    assert await check(alice) == {"status": "ok", "reason": None}


async def test_it_is_looked_at_by_itself(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "STORE_ANSWER_SECONDS", 0.0)
    watch = StoreWatch(server.services.files, every_seconds=0.01)
    watch.start()
    await until(lambda: server.services.files.store_failure)
    await watch.stop()
