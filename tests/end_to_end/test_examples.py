"""The examples do what they say, from the outside: as processes, with a server of their own."""

import asyncio
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


async def test_an_answer_that_streams(tmp_path: Path) -> None:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "examples.streaming", cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, problems = await asyncio.wait_for(running.communicate(), 90)
    assert running.returncode == 0, problems.decode()
    lines = output.decode().splitlines()
    assert sum("the same for 3 viewers and in the database" in line for line in lines) == 2
    assert {line.split(":")[0] for line in lines} >= {"COMPLETE", "INTERRUPTED", "agent"}
