"""Server-sent events of one thread: cursors, resyncs, and what a stream looks like byte by byte."""

import asyncio
import re
import time
from typing import Any

import aiohttp
import orjson
import pytest

from actors import limits
from actors.delivery.connection import ConnectionActor
from tests.realtime_client import PATIENCE, EventStream, event_stream
from tests.serving import Client, Server
from tests.tokens import token


@pytest.fixture
async def thread(alice: Client) -> Any:
    """Its log has four entries."""
    thread = await alice.thread()
    for number in range(2, 5):
        await alice.say(thread, str(number))
    return thread


def url_of(server: Server, thread: Any) -> str:
    return f"{server.url}/api/v1/threads/{thread['id']}/events"


async def epoch_of(alice: Client, thread: Any) -> str:
    return str((await alice.get(f"/api/v1/threads/{thread['id']}/log")).metadata["epoch"])


async def test_byte_by_byte(server: Server, alice: Client, thread: Any) -> None:
    epoch = await epoch_of(alice, thread)
    headers = {"Authorization": f"Bearer {alice.token}", "Last-Event-ID": f"{epoch}-3", "X-Correlation-ID": "mine"}
    async with server.session.get(url_of(server, thread), headers=headers) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store, no-transform"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.headers["X-Correlation-ID"] == "mine"
        said = b""
        while said.count(b"\n\n") < 1:
            said += await response.content.readany()
        (event,) = (await alice.get(f"/api/v1/threads/{thread['id']}/log", after="3")).data
        start = f": \nretry: 1000\nid: {epoch}-4\nevent: message.created\ndata: ".encode()
        assert said.startswith(start)
        assert said.endswith(b"\n\n")
        assert orjson.loads(said[len(start) :]) == event


async def test_padding_comes_first(server: Server, alice: Client, thread: Any) -> None:
    headers = {"Authorization": f"Bearer {alice.token}"}
    async with server.session.get(url_of(server, thread) + "?padding=true", headers=headers) as response:
        assert (await response.content.readline()) == b":" + b" " * 2048 + b"\n"


async def test_without_a_cursor_it_starts_now(server: Server, alice: Client, thread: Any) -> None:
    """Its first block has the cursor of now: cut before any event, nothing is lost either."""
    async with event_stream(server.session, url_of(server, thread), alice.token) as stream:
        await stream.begun()
        assert stream.last_id == f"{await epoch_of(alice, thread)}-4"
    await alice.say(thread, "while away")
    async with event_stream(server.session, url_of(server, thread), alice.token, stream.last_id) as stream:
        assert orjson.loads((await stream.next())["data"])["offset"] == 5


@pytest.mark.parametrize(("offset", "missed"), [(0, [1, 2, 3, 4]), (3, [4]), (4, [])])
async def test_a_cursor(server: Server, alice: Client, thread: Any, offset: int, missed: list[int]) -> None:
    epoch = await epoch_of(alice, thread)
    async with event_stream(server.session, url_of(server, thread), alice.token, f"{epoch}-{offset}") as stream:
        assert await ids(stream, len(missed)) == [f"{epoch}-{number}" for number in missed]
        await alice.say(thread, "live")
        assert await ids(stream, 1) == [f"{epoch}-5"]


async def ids(stream: EventStream, count: int) -> list[str]:
    return [event["id"] for event in await stream.events(count)]


async def test_the_header_goes_before_the_query(server: Server, alice: Client, thread: Any) -> None:
    """EventSource keeps the URL when it reconnects: the cursor in it is the older one."""
    epoch = await epoch_of(alice, thread)
    url = f"{url_of(server, thread)}?cursor={epoch}-0"
    async with event_stream(server.session, url, alice.token) as stream:
        assert await ids(stream, 1) == [f"{epoch}-1"]
    async with event_stream(server.session, url, alice.token, f"{epoch}-2") as stream:
        assert await ids(stream, 1) == [f"{epoch}-3"]


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [
        ("nonsense", "the cursor is not one of ours"),
        ("EPOCH", "the cursor is not one of ours"),
        ("EPOCH-", "the cursor is not one of ours"),
        ("EPOCH--1", "the cursor is not one of ours"),
        ("EPOCH-1-1", "the cursor is not one of ours"),
        ("EPOCH-9999999999999999999", "the cursor is not one of ours"),
        ("x" * 4000, "the cursor is not one of ours"),
        ("EPOCH-5", "the cursor is ahead of the log"),
        ("EPOCH-999999999999999999", "the cursor is ahead of the log"),
        ("another-2", "the log is another one than the cursor was made for"),
        ("-2", "the cursor is not one of ours"),
    ],
)
async def test_cursors_that_cannot_be_served(
    server: Server, alice: Client, thread: Any, cursor: str, reason: str
) -> None:
    """Told in the stream, with the cursor from which on it is complete."""
    epoch = await epoch_of(alice, thread)
    async with event_stream(
        server.session, url_of(server, thread), alice.token, cursor.replace("EPOCH", epoch)
    ) as stream:
        told = await stream.next()
        assert (told["event"], told["id"]) == ("resync", f"{epoch}-4")
        assert orjson.loads(told["data"]) == {"reason": reason, "reload": "/api/v1/threads"}
        await alice.say(thread, "live")
        assert await ids(stream, 1) == [f"{epoch}-5"]


async def test_more_than_is_told(server: Server, alice: Client, thread: Any) -> None:
    epoch = await epoch_of(alice, thread)
    await asyncio.gather(*(alice.say(thread, str(number)) for number in range(297)))
    async with event_stream(server.session, url_of(server, thread), alice.token, f"{epoch}-1") as stream:
        assert await ids(stream, 300) == [f"{epoch}-{number}" for number in range(2, 302)]
    async with event_stream(server.session, url_of(server, thread), alice.token, f"{epoch}-0") as stream:
        told = await stream.next()
        assert (told["event"], told["id"]) == ("resync", f"{epoch}-301")
        assert "more than 300" in told["data"]


@pytest.mark.parametrize("path", ["/api/v1/threads/{}/events", "/api/v1/events?threads={}"])
async def test_few_events_that_are_large(server: Server, alice: Client, thread: Any, path: str) -> None:
    url = server.url + path.format(thread["id"])
    async with event_stream(server.session, url, alice.token) as stream:
        await stream.begun()
        before = stream.last_id
    for _ in range(10):
        await alice.say(thread, "x" * 60_000)
    async with event_stream(server.session, url, alice.token, before) as stream:
        told = await stream.next()
        assert told["event"] == "resync"
        await alice.say(thread, "live")
        assert orjson.loads((await stream.next())["data"])["offset"] == 15


@pytest.mark.parametrize("query", ["?nonsense=1", "?cursors=x", "?threads=x"])
async def test_queries_that_are_not_known(alice: Client, thread: Any, query: str) -> None:
    answer = await alice.get(f"/api/v1/threads/{thread['id']}/events{query}")
    assert answer.status == 400
    assert answer.error["code"] == "validation_failed"


async def test_ids_and_tokens_that_are_none(server: Server, alice: Client, thread: Any) -> None:
    assert (await alice.get("/api/v1/threads/nonsense/events")).status == 404
    assert (await alice.get(f"/api/v1/threads/{thread['id']}/events", {"Authorization": "Bearer x"})).status == 401
    expired = {"Authorization": f"Bearer {token('alice', ttl_seconds=-60)}"}
    answer = await alice.get(f"/api/v1/threads/{thread['id']}/events", expired)
    assert (answer.status, answer.error["code"]) == (401, "token_expired")
    assert (await alice.request("HEAD", f"/api/v1/threads/{thread['id']}/events")).status == 405


async def test_the_cookie_of_a_page(server: Server, alice: Client, thread: Any) -> None:
    """EventSource cannot send headers; to read, a cookie is enough, from wherever."""
    headers = {"Cookie": f"rpotential_auth={alice.token}"}
    async with server.session.get(url_of(server, thread), headers=headers) as response:
        assert response.status == 200


async def test_the_end_of_a_token(server: Server, alice: Client, thread: Any) -> None:
    short = token("alice", ttl_seconds=2 - limits.TOKEN_LEEWAY_SECONDS)
    async with event_stream(server.session, url_of(server, thread), short) as stream:
        started = time.monotonic()
        await stream.ended()
        assert time.monotonic() - started < 5


async def test_heartbeats(server: Server, alice: Client, thread: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.services.hub, "ping_seconds", 0.3)
    monkeypatch.setattr(limits, "SSE_HEARTBEAT_SECONDS", 0.25)
    headers = {"Authorization": f"Bearer {alice.token}"}
    async with server.session.get(url_of(server, thread), headers=headers) as response, asyncio.timeout(PATIENCE):
        beats = 0
        while beats < 4:  # the first of them opens the stream
            beats += (await response.content.readline()) == b": \n"


async def test_content_cannot_break_out_of_its_line(server: Server, alice: Client, thread: Any) -> None:
    content = "one\ntwo\r\n\rdata: x\n\nid: evil-1\nevent: evil\u2028\u2029\u0085 end"
    async with event_stream(server.session, url_of(server, thread), alice.token) as stream:
        await stream.begun()
        await alice.say(thread, content)
        told = await stream.next()
        assert re.fullmatch(r"[0-9A-Za-z]+-5", told["id"])
        assert orjson.loads(told["data"])["data"]["content"] == content


async def test_a_stream_that_is_asked_for_while_the_server_stops(server: Server, alice: Client, thread: Any) -> None:
    server.services.hub.draining = True
    answer = await alice.get(f"/api/v1/threads/{thread['id']}/events")
    assert (answer.status, answer.error["code"]) == (503, "shutting_down")


async def test_a_stream_that_opens_while_the_server_stops(
    server: Server, alice: Client, thread: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not be forgotten: everybody would wait for it until the time for stopping is up."""
    prepared, draining = asyncio.Event(), asyncio.Event()
    prepare = aiohttp.web.StreamResponse.prepare

    async def later(self: Any, request: Any) -> Any:
        if request.path.endswith("/events"):
            prepared.set()
            await draining.wait()
        return await prepare(self, request)

    monkeypatch.setattr(aiohttp.web.StreamResponse, "prepare", later)

    async def listen() -> None:
        async with event_stream(server.session, url_of(server, thread), alice.token) as stream:
            await stream.ended()

    listening = asyncio.create_task(listen())
    await prepared.wait()
    left = await server.services.hub.drain(3001, "shutdown", seconds=1)
    assert left == 0
    draining.set()
    await listening
    assert server.services.directory._stage.count(ConnectionActor) == 0
