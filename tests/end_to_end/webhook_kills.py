"""The drill of webhooks: a server is killed again and again while deliveries are due. None is lost, and what arrives
twice has the same id.

`make webhook-drill` runs all of it: 20 kills, 10,000 deliveries.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from tests.server.outbound.webhooks.receiver import Received, receiving
from tests.serving import Client, ServerProcess

SAYING = 64
"""Messages posted at once."""


class Seen:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        """Of work at the receiver for each."""
        self.ids: dict[str, set[str]] = defaultdict(set)
        """Message → ids of deliveries that brought it."""
        self.requests = 0

    async def answer(self, received: Received) -> web.StreamResponse:
        await asyncio.sleep(self.seconds)
        self.requests += 1
        self.ids[received.event["data"]["id"]].add(received.id)
        return web.Response(status=204)


async def say(client: Client, thread_id: str, count: int) -> set[str]:
    gate = asyncio.Semaphore(SAYING)

    async def one(number: int) -> str:
        async with gate:
            return str((await client.say(thread_id, f"{number}"))["id"])

    return set(await asyncio.gather(*map(one, range(count))))


async def drill(folder: Path, *, kills: int, count: int, seconds: float) -> dict[str, Any]:
    """Answers what was found."""
    seen = Seen(seconds)
    server = ServerProcess(folder / "data", WEBHOOK_NETWORKS="127.0.0.1")
    await server.start()
    async with (
        receiving(seen.answer) as receiver,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        alice = Client(session, server.url, "alice")
        thread = await alice.thread()
        made = await alice.post("/api/v1/webhooks", url=receiver.url, events=["message.created"])
        assert made.status == 201, made.raw
        saying = asyncio.ensure_future(say(alice, thread["id"], count))
        said = await saying
        for kill in range(kills):
            share = (kill + 1) * count // (kills + 1)
            await _until(lambda share=share: len(seen.ids) >= share, 300)  # type: ignore[misc]
            await asyncio.sleep(random.random() * seconds)
            server.kill()
            await server.ended()
            await server.start()
        await _until(lambda: len(seen.ids) >= count, 300)
        assert await server.stop() == 0
    return {
        "missing": len(said - seen.ids.keys()), "foreign": len(seen.ids.keys() - said),
        "with_two_ids": sum(len(ids) > 1 for ids in seen.ids.values()), "requests": seen.requests,
    }  # fmt: skip


async def _until(holds: Any, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - requests of another process
            await asyncio.sleep(0.005)


def main() -> None:
    kills, count = 20, 10_000
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        found = asyncio.run(drill(Path(folder), kills=kills, count=count, seconds=0.002))
    sys.stdout.write(f"{kills} kills, {count} deliveries, {time.monotonic() - began:.0f} s: {found}\n")
    sys.exit(found["missing"] + found["foreign"] + found["with_two_ids"] > 0)


if __name__ == "__main__":
    main()
