"""Target 26: what metrics cost where messages are written: counted, and scraped every second, beside a server that
measures nothing. Target 29: what traces and logs cost there, beside a server without them."""

import asyncio
import contextlib
import statistics
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from bench.cases.blocks import rate
from bench.cases.writing import THREADS
from bench.client import make_token
from bench.harness import Running, server
from bench.http_client import make_threads, post_request
from bench.results import Figure, Outcome
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
    pairs = _ratios(on, off)
    outcome.target(
        "26", "messages for each second of CPU, with metrics", statistics.median(pairs), "× without", least=0.98
    )
    outcome.notes.append(f"with metrics, for each second of CPU: {min(pairs):.3f} to {max(pairs):.3f} × without")
    return outcome


async def cost_of_traces(quick: bool) -> Outcome:
    """Every command traced, one in ten, and no log lines of requests; the collector takes all, and looks at nothing."""
    outcome = Outcome()
    repetitions, seconds = (1, 1.0) if quick else (9, 2.0)
    token = make_token()
    async with _collector() as endpoint:
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        tenth = traced | {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}
        ways: dict[str, dict[str, str]] = {
            "off": {},
            "every command traced": traced,
            "one in ten": tenth,
            "no logs": {"LOG_LEVEL": "error"},
        }
        with contextlib.ExitStack() as closing:
            servers = {name: closing.enter_context(server(None, **settings)) for name, settings in ways.items()}
            requests = {name: await _requests(each, token) for name, each in servers.items()}
            figures = {name: outcome.figure(f"create message by REST, traces: {name}", "messages/s") for name in ways}
            for _ in range(repetitions):
                for name, running in servers.items():
                    await rate(figures[name], running, requests[name], seconds)
    off = figures["off"]
    for name, least in (("every command traced", 0.6), ("one in ten", 0.9), ("no logs", 0.98)):
        ratio = statistics.median(_ratios(figures[name], off))
        outcome.target("29", f"messages for each second of CPU: {name}", ratio, "× off", least=least)
    each = 1e6 / figures["every command traced"].per_cpu_second - 1e6 / off.per_cpu_second
    outcome.notes.append(f"a traced message costs {each:.0f} µs of CPU more, the export included")
    return outcome


def _ratios(on: Figure, off: Figure) -> list[float]:
    return [
        (a / used.server) / (b / spare.server)
        for a, used, b, spare in zip(on.values, on.usages, off.values, off.usages, strict=True)
    ]


@contextlib.asynccontextmanager
async def _collector() -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(content_type="application/x-protobuf")

    application = web.Application(client_max_size=2**26)
    application.add_routes([web.post("/v1/traces", take)])
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


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
