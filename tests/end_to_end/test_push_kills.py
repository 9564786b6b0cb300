"""Web Push of a real server process that is killed while pushes are due: none is lost, and few come twice, with the
same id, so that a browser shows them once (`tag`)."""

import asyncio
from collections import Counter
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.builders import until
from tests.server.outbound.push.browser import Browser
from tests.server.outbound.webhooks.receiver import Received, receiving
from tests.serving import Client, ServerProcess

PEOPLE, MESSAGES, KILLS = 6, 20, 2


async def test_no_push_is_lost_by_kills(tmp_path: Path) -> None:
    arrived: dict[str, Counter[str]] = {}
    """Browser → id of a notification → how often it came."""
    browsers: dict[str, Browser] = {}

    async def take(received: Received) -> web.StreamResponse:
        name = received.request.path
        arrived[name][browsers[name].read(received)["data"]["id"]] += 1
        await asyncio.sleep(0.005)
        return web.Response(status=201)

    process = ServerProcess(tmp_path / "data", WEBHOOK_NETWORKS="127.0.0.1", PUSH_CONTACT="mailto:ops@example.com")
    await process.start()
    async with receiving(take) as service, aiohttp.ClientSession() as session:
        alice = Client(session, process.url, "alice")
        people = [Client(session, process.url, f"person{n}") for n in range(PEOPLE)]
        thread = await alice.thread(members=[{"user_id": (await each.me())["id"]} for each in people])
        for each in people:
            path = f"/hook/{each.name}"
            arrived[path], browsers[path] = Counter(), Browser(f"{service.url}/{each.name}")
            await browsers[path].subscribe(each)
            await each.patch("/api/v1/users/me/preferences", deliver=["web_push"])
        expected = PEOPLE * MESSAGES
        await asyncio.gather(*(alice.say(thread, f"@all {number}") for number in range(MESSAGES)))

        def count() -> int:
            return sum(len(ids) for ids in arrived.values())

        for kill in range(KILLS):
            share = kill * expected // KILLS  # the first before any is sent: their users were active just now
            await until(lambda share=share: count() >= share)  # type: ignore[misc]
            process.kill()
            await process.ended()
            await process.start()
        await until(lambda: count() == expected)
        for each in people:
            found = (await each.get("/api/v1/notifications", limit="100")).data
            mentions = {one["id"] for one in found if one["kind"] == "mention"}
            assert arrived[f"/hook/{each.name}"].keys() == mentions
            assert len(mentions) == MESSAGES
    assert await process.stop() == 0
    doubles = sum(times - 1 for ids in arrived.values() for times in ids.values())
    assert doubles <= KILLS * PEOPLE, "one push to a browser is on its way at a time"
