"""Target 26: what metrics cost where messages are written: counted, and scraped every second, beside a server that
measures nothing."""

import asyncio
import contextlib
import statistics
from collections.abc import AsyncIterator

import aiohttp

from bench.cases.blocks import rate
from bench.cases.writing import THREADS
from bench.client import make_token
from bench.harness import Running, server
from bench.http_client import make_threads, post_request
from bench.results import Outcome
from bench.rig import CONTENT


async def cost(quick: bool) -> Outcome:
    outcome = Outcome()
    on = outcome.figure("create message by REST, counted and scraped", "messages/s")
    off = outcome.figure("the same, nothing measured", "messages/s")
    repetitions, seconds = (1, 1.0) if quick else (9, 2.0)
    token = make_token()
    with server() as counted, server(module="bench.yardsticks.uncounted") as uncounted:
        requests = {each.port: await _requests(each, token) for each in (counted, uncounted)}
        for _ in range(repetitions):
            async with _scraping(counted):
                await rate(on, counted, requests[counted.port], seconds)
            await rate(off, uncounted, requests[uncounted.port], seconds)
    pairs = [
        (a / used.server) / (b / spare.server)
        for a, used, b, spare in zip(on.values, on.usages, off.values, off.usages, strict=True)
    ]
    outcome.target(
        "26", "messages for each second of CPU, with metrics", statistics.median(pairs), "× without", least=0.98
    )
    outcome.notes.append(f"with metrics, for each second of CPU: {min(pairs):.3f} to {max(pairs):.3f} × without")
    return outcome


async def _requests(running: Running, token: str) -> list[bytes]:
    return [post_request(thread, token, CONTENT) for thread in await make_threads(running.url, THREADS, token)]


@contextlib.asynccontextmanager
async def _scraping(running: Running) -> AsyncIterator[None]:
    """Once a second, more often than a scraper does."""

    async def scrape() -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                async with session.get(f"{running.url}/metrics") as answer:
                    await answer.read()
                await asyncio.sleep(1.0)

    task = asyncio.ensure_future(scrape())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
