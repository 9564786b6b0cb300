"""A text that grows in an artifact when its server is killed: what was acknowledged is there, and it goes on."""

import asyncio
import random
from pathlib import Path

import aiohttp

from tests.server.operations.test_artifacts import REPORT, create
from tests.serving import Client, ServerProcess

KILLS = 3
WORDS = "The sum of the month rose again, as it had in spring. "


async def test_a_stream_goes_on_after_kills(tmp_path: Path) -> None:
    """A retry says where its piece starts: nothing is lost, and nothing is there twice."""
    process = ServerProcess(tmp_path / "data")
    await process.start()
    async with aiohttp.ClientSession() as session:
        alice = Client(session, process.url, "alice")
        thread = await alice.thread()
        artifact = await create(alice, f"/api/v1/threads/{thread['id']}/artifacts")
        url = f"/api/v1/artifacts/{artifact['id']}"
        stream = (await alice.post(f"{url}/streams", pointer="/sections/0/text")).data["id"]
        path, length = f"{url}/streams/{stream}", 0
        try:
            for _ in range(KILLS):
                length = await write_until_killed(process, alice, path, length)
                await process.ended()
                await process.start()
                there = (await alice.get(path)).data
                assert there["length"] >= length, "what was acknowledged is there"
                assert there["text"] + (WORDS * 1_000)[there["length"] :] == WORDS * 1_000
                length = there["length"]
            assert (await alice.post(f"{path}/complete")).status == 200
            (first, *_) = (await alice.get(url)).data["content"]["sections"]
            assert first["text"] == REPORT["sections"][0]["text"] + (WORDS * 1_000)[:length]
        finally:
            await process.stop()


async def write_until_killed(process: ServerProcess, alice: Client, path: str, length: int) -> int:
    """Answers how much of the text was acknowledged."""
    killing = asyncio.get_running_loop().call_later(random.uniform(0.05, 0.3), process.kill)
    try:
        while True:
            piece = (WORDS * 1_000)[length : length + 7]
            answer = await alice.post(f"{path}/append", text=piece, index=length)
            assert answer.status == 200, answer.raw
            length = answer.data["length"]
    except aiohttp.ClientError:
        return length
    finally:
        killing.cancel()
