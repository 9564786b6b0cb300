"""The examples do what they say, from the outside: as processes, with a server of their own."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from tests.realtime_client import PATIENCE
from tests.serving import Client, ServerProcess

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


async def test_the_agent_comes_back_to_a_server_that_was_killed(tmp_path: Path) -> None:
    """It goes on with its answer, and answers what was asked while it was not there itself."""
    process = ServerProcess(tmp_path / "data")
    await process.start()
    async with aiohttp.ClientSession() as session:
        alice = Client(session, process.url, "alice", role="ADMIN")
        bot = (await alice.post("/api/v1/users", email="bot@rpotential.ai", name="Bot", kind="ASSISTANT")).data
        key = (await alice.post("/api/v1/auth/api-keys", name="demo", user_id=bot["id"])).data["key"]
        thread = await alice.thread(members=[{"user_id": bot["id"]}])
        await alice.say(thread, "Asked while the agent was down")

        async def newest() -> Any:
            return (await alice.get(f"/api/v1/threads/{thread['id']}/messages", limit="1")).data[0]

        async def until(condition: Callable[[Any], bool]) -> Any:
            async with asyncio.timeout(PATIENCE):
                while not condition(message := await newest()):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)  # between two looks at another process
            return message

        arguments = ("-m", "examples.agent", process.url, thread["id"], key)
        agent = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=subprocess.PIPE)
        try:
            await until(lambda message: message["type"] == "ASSISTANT" and bool(message["content"]))
            process.kill()
            await process.ended()
            await process.start()
            answer = await until(lambda message: message["status"] != "STREAMING")
            assert answer["status"] == "COMPLETE"
            assert answer["content"].count(" misses a word ") >= 10
            assert agent.returncode is None
        finally:
            agent.kill()
            await agent.wait()
            await process.stop()
