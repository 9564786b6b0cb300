"""`xp bench --scenario` against a real server, as an operator runs it."""

import asyncio
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import orjson

from storage.database import FILE_NAME
from tests.serving import ServerProcess
from tests.tokens import SECRET

MADE = 100
"""Events before the first message of the scenario: ten threads, nine more members in each."""


async def _bench(server: ServerProcess, *arguments: object) -> asyncio.subprocess.Process:
    environment = {"JWT_SECRET": SECRET.decode(), "PATH": "/usr/bin:/bin"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "bench", "--data-dir", str(server.data_dir), *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip


def _position(server: ServerProcess) -> int:
    """Of the newest event."""
    database = sqlite3.connect(server.data_dir / FILE_NAME)
    try:
        return int(database.execute("SELECT position FROM log_head").fetchone()[0])
    finally:
        database.close()


async def test_a_soak_of_seconds_and_one_that_is_interrupted(process: ServerProcess, tmp_path: Path) -> None:
    report, page = tmp_path / "report.json", tmp_path / "report.html"
    scenario = tmp_path / "small.toml"
    scenario.write_text(
        'title = "Small"\n[population]\nusers = 5\nmembers = 5\n[[phases]]\nseconds = 5\nrate = 30\n'
        "[mix]\npost = 2\npage = 1\n[goals]\nerrors = 0\n"
    )
    bench = await _bench(process, "--scenario", scenario, "--for", "5s", "--report", report, "--html", page)
    out, err = await bench.communicate()
    assert (bench.returncode, err) == (0, b""), out
    found: Any = orjson.loads(report.read_bytes())
    assert found["requests"]["done"] == 150
    assert found["delivery"]["count"] == found["actions"]["post"]["count"] * 5
    samples = found["soak"]["series"]
    assert len(found["soak"]["times"]) >= 10
    assert all(value > 10_000_000 for value in samples["memory"]["values"])
    assert all(value > 10 for value in samples["files"]["values"])
    assert {verdict["is_flat"] for verdict in found["soak"]["verdicts"]} == {None}
    assert "too short to say" in page.read_text()

    before = _position(process)
    bench = await _bench(process, "--scenario", "chat", "--json")
    async with asyncio.timeout(60):
        while _position(process) < before + MADE + 20:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)
    bench.send_signal(signal.SIGINT)
    out, err = await bench.communicate()
    assert bench.returncode in (0, 1), err
    told = orjson.loads(out)
    assert told["interrupted"]
    assert told["requests"]["done"] > 0
    assert told["threads_left"] == []
