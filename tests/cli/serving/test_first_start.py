"""What a start says of the schema: one line, and only where it did something."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from storage.database import open_writer
from storage.schema import migrating as schema
from tests.builders import MIGRATIONS, options
from tests.serving import ServerProcess


def said_of_the_schema(server: ServerProcess) -> list[str]:
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")
    ]
    return [line["event"] for line in lines if line["logger"] == "storage.schema" or "migration" in line["logger"]]


async def test_it_serves_where_nobody_reads_what_it_says(tmp_path: Path) -> None:
    """As with `xp serve | head -1`."""
    server = ServerProcess(tmp_path / "data")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "cli.main", "serve"]
    server.process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **server.settings}, stdout=writing, stderr=asyncio.subprocess.DEVNULL
    )
    os.close(writing)
    server.log.touch()
    await server.ready()
    assert await server.stop() == 0


async def test_each_start_says_what_became_of_the_schema(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data")
    path = server.data_dir / "experience.db"
    await server.start(forked=False)
    assert await server.stop() == 0
    made = [f"{path}: made, at {MIGRATIONS[-1]}"]
    assert said_of_the_schema(server) == made
    database = open_writer(options(path))
    schema.rollback(database, path, 2)
    database.close()
    for _ in range(2):
        await server.start(forked=False)
        assert await server.stop() == 0
    assert said_of_the_schema(server) == [*made, f"{path}: brought up to date by {', '.join(MIGRATIONS[-2:])}"]
