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
    told = [line.split(":")[0] for line in lines]
    first_end = told.index("agent")
    assert told[:first_end].count("restless") == 2, "gone and back twice while the first answer is written"
    assert "late" in told[:first_end]
    assert "steady" in told[first_end:], "who says Stop to the second one"
    assert set(told) >= {"COMPLETE", "INTERRUPTED"}
