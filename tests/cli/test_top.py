"""`xp top` and `xp logs level`: what a command asks of the running server."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cli.top import sparkline
from tests.cli.conftest import Ran, Xp
from tests.serving import Server, free_port, serving
from tests.tokens import token

Run = Callable[..., Coroutine[Any, Any, Ran]]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data") as running:
        yield running


@pytest.fixture
def run(server: Server, xp: Xp) -> Run:
    async def run(*arguments: object) -> Ran:
        return await asyncio.to_thread(xp, *arguments, "--url", server.url)

    return run


@pytest.fixture(autouse=True)
def level_as_before() -> Iterator[None]:
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


async def test_once(server: Server, run: Run) -> None:
    alice = server.client("alice")
    for _ in range(6):
        await alice.thread()
    server.services.history.sample_now()
    server.services.backups.failing_since, server.services.backups.reason = 1, "the bucket is away"
    shown = (await run("top", "--once")).out
    assert f"experience-server {server.services.version}: ok" in shown
    assert "✗ backups fails since" in shown
    assert "the bucket is away" in shown
    assert "95 % of the operations within 200 ms" in shown
    assert "create_thread" in shown
    assert (await run("top", "--json")).json["parts"][0]["name"] == "database"


@pytest.mark.parametrize("given", ["secret\nline", "sécret"])
def test_what_is_no_token_is_not_shown(xp: Xp, given: str) -> None:
    shown = xp("top", "--once", "--url", "http://127.0.0.1:1", "--token", given).sentence
    assert "cret" not in shown
    assert "token" in shown


async def test_who_may(server: Server, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "This requires the role ADMIN" in (await run("top", "--once", "--token", token("alice"))).sentence
    monkeypatch.setenv("XP_TOKEN", token("root", role="ADMIN"))
    assert (await run("top", "--once")).code == 0


@pytest.mark.parametrize("url", ["http://localhost:abc", "http://[::1", "localhost:8787", "ftp://127.0.0.1"])
def test_what_is_no_url(xp: Xp, url: str) -> None:
    expected = f"--url: expected http://HOST[:PORT] or https://HOST[:PORT]; got {url}."
    assert xp("top", "--once", "--url", url).sentence == expected


async def test_another_server_than_one_of_ours(xp: Xp, aiohttp_server: Any) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response([{"status": "ok"}])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    url = str((await aiohttp_server(app)).make_url("")).rstrip("/")
    ran = await asyncio.to_thread(xp, "top", "--once", "--url", url)
    assert ran.sentence == f"{url}: this is another server than one of ours."


def test_without_a_server(xp: Xp) -> None:
    xp("db", "migrate")
    assert f"No server uses {xp.folder}" in xp("top", "--once").sentence
    assert "the server does not answer" in xp("logs", "level", "--url", f"http://127.0.0.1:{free_port()}").sentence


async def test_the_log_level(server: Server, run: Run) -> None:
    assert "as LOG_LEVEL says." in (await run("logs", "level")).out
    assert (await run("logs", "level", "debug", "--for", "5m")).out.startswith("debug until ")
    assert server.services.log_level.level == "debug"
    assert (await run("logs", "level", "--json")).json["level"] == "debug"
    assert "as LOG_LEVEL says." in (await run("logs", "level", "usual")).out
    assert server.services.log_level.until is None
    assert (await run("logs", "level", "loud")).code == 2


def test_sparklines() -> None:
    assert sparkline([0, 1, None, 4, 2]) == "▁▃ █▅"
    assert sparkline([]) == ""
    assert sparkline([0, 0]) == "▁▁"


async def test_why_denied(server: Server, run: Run) -> None:
    alice, bob = server.client("alice"), server.client("bob")
    thread = await alice.thread()
    await bob.me()
    allowed = await run("why", "denied", "alice@rpotential.ai", "create_message", thread["id"])
    assert "allowed" in allowed.out, allowed.err
    assert "The user is OWNER of it." in allowed.out
    denied = await run("why", "denied", "bob@rpotential.ai", "create_message", thread["id"], "--data", "{}")
    assert "denied by the thread" in denied.out, denied.err
    assert "not_found (404)" in denied.out
    for arguments, expected in (
        (("nobody@rpotential.ai", "get_me"), "There is no user with the address"),
        (("bob@rpotential.ai", "fly"), "There is no operation fly"),
        (("bob@rpotential.ai", "get_me", "x"), "expected 0 ids (none), got 1"),
        (("bob@rpotential.ai", "get_me", "--data", "[]"), "expected a JSON object"),
        (("bob@rpotential.ai", "get_me", "--data", "{"), "expected JSON"),
        (("bob@rpotential.ai", "get_me", "--data", "[" * 100_000), "expected JSON"),
    ):
        refused = await run("why", "denied", *arguments)
        assert expected in refused.err


async def test_trace(server: Server, run: Run) -> None:
    alice = server.client("alice")
    thread = await alice.thread()
    for form in ((), ("--json",)):
        tracing = asyncio.ensure_future(run("trace", "thread", thread["id"], "--for", "2s", *form))
        async with asyncio.timeout(20):
            while not server.services.watches.is_on:  # noqa: ASYNC110 - another OS thread asks for it
                await asyncio.sleep(0.01)
        await alice.say(thread, "nobody's business")
        ran = await tracing
        assert ran.code == 0, ran.err
        assert "message.created" in ran.out
        assert "nobody's business" not in ran.out
        (told,) = [line for line in ran.out.splitlines() if "create_message" in line]
        assert ('"result": "ok"' if form else "result=ok") in told
        assert "the time is over" in ran.out
    refused = await run("trace", "user", "cmwta8kex000053uaxsb10oqw")
    assert "The server refuses it: There is no user" in refused.err
