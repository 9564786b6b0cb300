"""Connections that come and go leave nothing behind."""

import asyncio
import collections
import gc
import weakref
from pathlib import Path
from typing import Any

import orjson
import pytest

from actors import limits
from actors.errors import Overloaded
from actors.resources.user_events import ReadUserLog
from server.realtime.session.session import Session
from tests.raw_socket import frame, raw_socket, small_connection
from tests.realtime_client import RawClient, event_stream, raw_client
from tests.server.realtime.waiting import connections, forget_old_objects, freed, nothing_is_left, until
from tests.serving import Client, Server, serving
from tests.tokens import token


@pytest.fixture
async def thread(alice: Client) -> Any:
    return await alice.thread()


@pytest.mark.parametrize("how", ["closed", "cut", "unread"])
async def test_five_hundred_websockets(server: Server, alice: Client, thread: Any, how: str) -> None:
    """In every state: subscribed, in the middle of a reply, in the middle of connecting."""
    channel = f"thread:{thread['id']}"

    async def come_and_go(number: int) -> None:
        async with raw_client(server.session, server.websocket_url) as client:
            commands = [
                client.command("connect", token=alice.token),
                client.command("subscribe", channel=channel, recover=True),
                client.command("publish", channel=channel, data={"content": "x"}),
            ]
            await client.send(*commands[: number % 4])
            if how == "closed" and number % 4 > 1:
                await client.reply(2)
            if how != "closed":
                client.cut()

    for start in range(0, 500, 50):
        await asyncio.gather(*(come_and_go(start + number) for number in range(50)))
    await nothing_is_left(server)


async def test_two_hundred_streams(server: Server, alice: Client, thread: Any) -> None:
    other = await alice.thread()
    urls = [f"{server.url}/api/v1/threads/{thread['id']}/events"]
    urls.append(f"{server.url}/api/v1/events?threads={thread['id']},{other['id']}")

    async def come_and_go(number: int) -> None:
        async with event_stream(server.session, urls[number % 2], alice.token) as stream:
            if number % 4 > 1:
                await stream.begun()
            stream.cut()

    for start in range(0, 200, 50):
        await asyncio.gather(*(come_and_go(start + number) for number in range(50)))
    await nothing_is_left(server)


async def test_streams_that_are_given_up_before_they_open(server: Server, alice: Client, thread: Any) -> None:
    request = (
        f"GET /api/v1/threads/{thread['id']}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\n\r\n"
    ).encode()
    host, _, port = server.url.removeprefix("http://").partition(":")
    for number in range(100):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        for _ in range(number % 10):
            await asyncio.sleep(0)
        writer.transport.abort()
    assert (await alice.get("/health")).status == 200
    await nothing_is_left(server)


async def test_sockets_that_are_cut_while_they_connect(server: Server, alice: Client, thread: Any) -> None:
    """A token that nobody has seen takes a commit to judge: by then the client has gone."""
    sessions: list[weakref.ref[Session]] = []
    join = server.services.hub.join

    def joined(client: Any) -> None:
        sessions.append(weakref.ref(client))
        join(client)

    server.services.hub.join = joined  # type: ignore[method-assign]
    forget_old_objects()
    for number in range(60):
        async with raw_socket(server.url) as socket:
            fresh = token(f"stranger{number}")
            subscribe = {"id": 2, "subscribe": {"channel": f"thread:{thread['id']}"}}
            await socket.send(
                frame(orjson.dumps({"id": 1, "connect": {"token": fresh}}) + b"\n" + orjson.dumps(subscribe))
            )
            for _ in range(number % 6):
                await asyncio.sleep(0)
    await until(lambda: len(sessions) == 60)
    await nothing_is_left(server)
    await freed(sessions)


async def test_a_member_who_is_cut_while_joining(server: Server, alice: Client, thread: Any) -> None:
    """A thread keeps no subscriber whose socket has gone, at whatever step of joining it went."""
    for number in range(120):
        async with raw_socket(server.url) as socket:
            fresh = alice.token if number % 2 else token("alice")
            commands = [{"id": 1, "connect": {"token": fresh}}]
            commands += [{"id": 2, "subscribe": {"channel": f"thread:{thread['id']}", "recover": True}}]
            await socket.send(frame(b"\n".join(map(orjson.dumps, commands))))
            for _ in range(number % 12):
                await asyncio.sleep(0)
    await nothing_is_left(server)


async def test_who_drips(server: Server, alice: Client, thread: Any) -> None:
    """Fifty who send a byte now and then: the others do not notice."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    slow = [await asyncio.open_connection(host, int(port)) for _ in range(50)]
    for byte in b"GET /connection/websocket HTTP/1.1\r\nHost: x\r\n":
        for _, writer in slow:
            writer.write(bytes((byte,)))
        assert await alice.say(thread, str(byte))
    for _, writer in slow:
        writer.transport.abort()
    await nothing_is_left(server)


@pytest.mark.parametrize("said", [b"", b"GET /connection/websocket HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_request_that_does_not_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    """However long it drips: whoever has not finished a request in time is gone."""
    monkeypatch.setattr(limits, "KEEPALIVE_SECONDS", 0.3)
    async with serving(tmp_path / "data") as server, small_connection(server.url) as connection:
        await connection.send(said)

        async def drip() -> None:
            while True:
                await connection.send(b"x" if said else b"")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        await connection.gone()
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def test_what_is_done_often_leaves_no_cycles(server: Server, alice: Client, thread: Any) -> None:
    """Cycles wait for the garbage collector, whose turns hold everybody up for milliseconds."""
    events, channel = f"{server.url}/api/v1/threads/{thread['id']}/events", f"thread:{thread['id']}"

    async def work(client: RawClient) -> None:
        await client.ask("rpc", method="create_message", data={"thread_id": thread["id"], "content": "x"})
        await client.ask("publish", channel=channel, data={"content": "x"})
        await client.ask("history", channel=channel, limit=10)
        await client.ask("presence", channel=channel)
        message = await alice.say(thread)
        await alice.post(f"/api/v1/messages/{message['id']}/reactions", emoji="👍")
        await alice.get(f"/api/v1/threads/{thread['id']}/messages")
        assert (await alice.get("/api/v1/threads/nowhere")).status == 404

    async with (
        raw_client(server.session, server.websocket_url, alice.token) as client,
        event_stream(server.session, events, alice.token) as stream,
    ):
        await client.subscribe(thread["id"])
        await stream.begun()
        await work(client)
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                await work(client)
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            ours = [each for each in gc.garbage if _module(each).partition(".")[0] in OURS]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert collections.Counter(map(repr, map(type, ours))) == {}


OURS = ("actors", "server", "storage")


def _module(thing: Any) -> str:
    """Where it was made: a coroutine and a generator say so in their code."""
    code = getattr(thing, "cr_code", None) or getattr(thing, "gi_code", None)
    if code is not None:
        return next((name for name in OURS if f"/{name}/" in code.co_filename), "")
    return str(getattr(thing, "__module__", "") or "")


async def test_threads_that_nobody_uses_are_retired(
    server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = [await alice.thread() for _ in range(20)]
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        for thread in threads:
            await client.subscribe(thread["id"])
        content = {"title": "Sales", "type": "REFERENCE", "content": {"url": "https://example.com"}}
        artifact = (await alice.post(f"/api/v1/threads/{threads[0]['id']}/artifacts", **content)).data["id"]
        assert "error" not in await client.ask("subscribe", channel=f"artifact:{artifact}")
        monkeypatch.setattr(limits, "THREAD_IDLE_SECONDS", 0.05)
        server.services.directory._sweep.cancel()
        server.services.directory._retire_idle()
        await alice.say(threads[0])
        assert [(await client.push())["pub"]["offset"] for _ in range(2)] == [2, 3]
        assert server.services.directory.live_threads == 20
    await until(lambda: server.services.directory.live_threads == 0)
    assert server.services.directory._artifacts == server.services.directory._thread_of == {}
    assert (await alice.say(threads[0]))["offset"] == 4


async def test_one_that_has_gone_while_its_log_cannot_be_read(
    server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Connecting goes on without what was missed, but not for a connection that is no more; nor do commands that wait
    for it."""
    own = f"user:{(await alice.me())['id']}"
    ask, reads, goes_on = server.services.reads.ask, asyncio.Event(), asyncio.Event()

    async def ask_late(query: Any) -> Any:
        if isinstance(query, ReadUserLog):
            reads.set()
            await goes_on.wait()
            raise Overloaded("Too many others read.")
        return await ask(query)

    monkeypatch.setattr(server.services.reads, "ask", ask_late)
    async with raw_client(server.session, server.websocket_url) as client:
        await client.send(client.command("connect", token=alice.token, subs={own: {"recover": True, "offset": 0}}))
        await client.send(client.command("subscribe", channel=own))
        await reads.wait()
        client.cut()
        await until(lambda: connections(server) == 0)
    goes_on.set()
    await until(lambda: len(server.services.users) == 0)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
