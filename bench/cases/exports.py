"""Target 27: what messages notice of a PDF of twenty pages that is made."""

import asyncio
import time
from typing import Any

import aiohttp

from bench.cases.files import acks
from bench.client import make_token
from bench.harness import Running, server
from bench.http_client import call, make_threads
from bench.results import Outcome

PAGES = 20
BARS: dict[str, Any] = {
    "mark": "bar", "data": {"values": [{"a": n, "b": n * n % 17} for n in range(40)]},
    "encoding": {"x": {"field": "a", "type": "ordinal"}, "y": {"field": "b", "type": "quantitative"}},
}  # fmt: skip
WORDS = "Sales *rose* in the north, and fell in the south, for reasons that are **known** to all who asked. "


async def beside_exports(quick: bool) -> Outcome:
    """The acks of a light caller, alone and while one report after another is made a PDF."""
    outcome = Outcome()
    alone = [outcome.figure(f"ack of a light caller alone, by exports, {name}", "ms") for name in ("p50", "p99")]
    beside = [outcome.figure(f"ack of a light caller beside exports, {name}", "ms") for name in ("p50", "p99")]
    took = outcome.figure(f"PDF of {PAGES} pages with ten charts, beside messages", "s")
    seconds, repetitions = (1.0, 1) if quick else (4.0, 5)
    with server() as running:
        token = make_token()
        (thread,) = await make_threads(running.url, 1, token)
        path = await asyncio.to_thread(_report, running.url, thread, token)
        await _export(running, path, token)
        await acks(alone, running, thread, token, 0.5, count=False)
        for _ in range(repetitions):
            await acks(alone, running, thread, token, seconds)
            exporting = asyncio.ensure_future(_exports(running, path, token, seconds + 1.0))
            await acks(beside, running, thread, token, seconds)
            for each in await exporting:
                took.add(each)
    outcome.target_ratio("27", "ack p99 beside exports", beside[1], alone[1], "× alone", most=1.3)
    return outcome


def _report(url: str, thread: str, token: str) -> str:
    text = {"type": "markdown", "text": "\n\n".join([WORDS * 8] * 11), "title": "A chapter"}
    sections = [section for _ in range(PAGES // 2) for section in (text, {"type": "chart", "spec": BARS})]
    body = {"type": "REPORT", "title": "A year", "content": {"sections": sections}}
    made = call(url, "POST", f"/api/v1/threads/{thread}/artifacts", token, body)
    return f"/api/v1/artifacts/{made['id']}/export?format=pdf"


async def _exports(running: Running, path: str, token: str, seconds: float) -> list[float]:
    """One after the other; answers how long each took."""
    until, found = time.perf_counter() + seconds, []
    while time.perf_counter() < until:
        found.append(await _export(running, path, token))
    return found


async def _export(running: Running, path: str, token: str) -> float:
    started = time.perf_counter()
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.get(running.url + path, headers=headers) as answer:
        body = await answer.read()
    assert answer.status == 200, body[:500]
    return time.perf_counter() - started
