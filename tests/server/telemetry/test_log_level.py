"""The log level is changed while the server runs, by administrators, and goes back by itself."""

import asyncio
import logging

import pytest

from server.telemetry.log_level import LogLevel
from tests.serving import Client, Server

PATH = "/api/v1/admin/log-level"


async def test_for_a_while(root: Client, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    usual = logging.getLogger().level
    before = (await root.get(PATH)).data
    assert before["until"] is None
    changed = (await root.put(PATH, level="debug", seconds=60)).data
    assert changed["level"] == "debug"
    assert changed["until"] is not None
    assert logging.getLogger("server.anything").isEnabledFor(logging.DEBUG)
    assert (await root.put(PATH, level="error")).data["level"] == "error"
    assert not logging.getLogger("server.anything").isEnabledFor(logging.INFO)
    assert (await root.put(PATH, level=None)).data == before
    assert logging.getLogger().level == usual


async def test_it_goes_back_by_itself() -> None:
    usual = logging.getLogger().level
    level = LogLevel()
    level.change("debug", 0.05)
    assert logging.getLogger().level == logging.DEBUG
    async with asyncio.timeout(30):
        while level.until is not None:  # noqa: ASYNC110 - a timer of its own
            await asyncio.sleep(0.01)
    assert logging.getLogger().level == usual


async def test_every_request_is_logged_at_debug(root: Client, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """By connections that are opened from then on."""
    await root.put(PATH, level="debug", seconds=60)
    for _ in range(20):
        await root.get(f"{PATH}?x=secret", {"Connection": "close"})
    lines = [record.getMessage() for record in caplog.records if record.name == "server.access"]
    await root.put(PATH, level=None)
    assert len(lines) >= 19, "all of them, not a sample"
    assert not any("secret" in line for line in lines)


async def test_it_is_an_act_of_an_administrator(root: Client, alice: Client) -> None:
    assert (await alice.put(PATH, level="debug")).status == 403
    await root.put(PATH, level="info", seconds=60)
    (entry,) = (await root.get("/api/v1/admin/audit", action="set_log_level")).data
    assert entry["target_id"] == "info"
    await root.put(PATH, level=None)
