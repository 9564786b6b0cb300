"""What administrators watch live: a user, a thread, a connection; with sizes, kinds and results, never content."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from actors import limits
from actors.identifiers import new_id
from server.telemetry.watching.watches import Subject, Watch
from tests.realtime_client import EventStream, event_stream, raw_client
from tests.serving import Client, Server

CONTENT = "a sentence that belongs to alice"
ADMIN = "/api/v1/admin"


class Watching:
    def __init__(self, stream: EventStream) -> None:
        self.stream = stream
        self.seen: list[tuple[str, dict[str, Any]]] = []

    async def until(self, kind: str, holds: Callable[[dict[str, Any]], bool] = lambda facts: True) -> dict[str, Any]:
        while True:
            block = await self.stream.next()
            facts: dict[str, Any] = json.loads(block["data"])
            self.seen.append((block["event"], facts))
            if block["event"] == kind and holds(facts):
                return facts


@asynccontextmanager
async def watching(server: Server, root: Client, what: str, **query: str) -> AsyncIterator[Watching]:
    more = "&".join(f"{name}={value}" for name, value in query.items())
    async with event_stream(server.session, f"{server.url}{ADMIN}/{what}/events?{more}", root.token) as stream:
        found = Watching(stream)
        await found.until("watching")
        yield found


def of(operation: str) -> Callable[[dict[str, Any]], bool]:
    return lambda facts: facts.get("operation") == operation


async def test_a_user(server: Server, root: Client, alice: Client, bob: Client) -> None:
    me, thread = await alice.me(), await alice.thread()
    async with watching(server, root, f"users/{me['id']}") as told:
        await bob.me()  # of no concern
        await alice.say(thread, CONTENT)
        command = await told.until("command", of("create_message"))
        assert (command["result"], command["user_id"]) == ("ok", me["id"])
        assert command["milliseconds"] > 0
        await alice.get(f"{ADMIN}/errors")
        assert (await told.until("command", of("get_errors")))["result"] == "forbidden"
        async with raw_client(server.session, server.websocket_url, alice.token) as socket:
            connected = await told.until("connected")
            assert connected["transport"] == "websocket"
            await socket.subscribe(thread["id"])
            verb = await told.until("verb", lambda facts: facts["verb"] == "subscribe")
            assert (verb["channel"], verb["connection_id"]) == (f"thread:{thread['id']}", connected["connection_id"])
            await socket.ask("rpc", method="create_message", data={"thread_id": thread["id"], "content": CONTENT})
            await told.until("command", of("create_message"))
            await told.until("frame", lambda facts: facts["direction"] == "out" and facts["bytes"] > 0)
        await told.until("left")
    frames = [facts for kind, facts in told.seen if kind == "frame"]
    assert {facts["direction"] for facts in frames} == {"in", "out"}
    deliveries = [facts for kind, facts in told.seen if kind == "delivery"]
    assert any(facts["channel"] == f"thread:{thread['id']}" and facts["first"] == 3 for facts in deliveries), told.seen
    assert CONTENT not in json.dumps(told.seen)


async def test_a_thread(server: Server, root: Client, alice: Client) -> None:
    thread, other = await alice.thread(), await alice.thread()
    async with watching(server, root, f"threads/{thread['id']}") as told:
        await alice.say(other)
        await alice.say(thread, CONTENT)
        published = await told.until("publication")
        assert (published["thread_id"], published["type"], published["offset"]) == (thread["id"], "message.created", 2)
        assert (await told.until("command"))["operation"] == "create_message"
    assert CONTENT not in json.dumps(told.seen)
    assert other["id"] not in json.dumps(told.seen)


async def test_a_thread_that_rpc_calls_name(server: Server, root: Client, alice: Client) -> None:
    thread, other = await alice.thread(), await alice.thread()
    async with (
        watching(server, root, f"threads/{thread['id']}") as told,
        raw_client(server.session, server.websocket_url, alice.token) as socket,
    ):
        await socket.ask("rpc", method="get_thread", data={"thread_id": other["id"]})
        await socket.ask("rpc", method="list_members", data={"thread_id": thread["id"]})
        assert (await told.until("command"))["operation"] == "list_members"


async def test_a_connection_until_it_is_closed(server: Server, root: Client, alice: Client) -> None:
    async with raw_client(server.session, server.websocket_url, alice.token) as socket:
        (client,) = [each for each in server.services.hub.clients if each.identity is not None]
        async with watching(server, root, f"connections/{client.client_id}") as told:
            await socket.ask("rpc", method="get_me", data={})
            assert (await told.until("command"))["operation"] == "get_me"
            await root.delete(f"{ADMIN}/connections/{client.client_id}")
            closed = await told.until("closed")
            assert closed["code"] >= 3000
            assert closed["reason"]


async def test_it_costs_nothing_when_nobody_watches(server: Server, root: Client, alice: Client) -> None:
    stage, watches = server.services.stage, server.services.watches
    assert (stage.watcher, watches.is_on) == (None, False)
    async with watching(server, root, f"users/{(await alice.me())['id']}"):
        assert (stage.watcher, watches.is_on) == (watches, True)
    async with asyncio.timeout(20):
        while watches.is_on:  # noqa: ASYNC110 - the server notices that its client has gone
            await asyncio.sleep(0.01)
    assert stage.watcher is None


async def test_it_ends_by_itself(server: Server, root: Client, alice: Client) -> None:
    async with watching(server, root, f"users/{(await alice.me())['id']}", seconds="1") as told:
        assert (await told.until("end"))["reason"] == "the time is over"
        await told.stream.ended()


async def test_it_ends_with_the_right_to_it(server: Server, root: Client, alice: Client) -> None:
    me = await alice.me()
    other = server.client("second", role="ADMIN")
    async with watching(server, other, f"users/{me['id']}") as told:
        await root.patch(f"/api/v1/users/{(await other.me())['id']}", status="DEACTIVATED")
        await told.until("end")
        await told.stream.ended()


async def test_it_is_audited_and_for_administrators(server: Server, root: Client, alice: Client) -> None:
    me = await alice.me()
    assert (await alice.get(f"{ADMIN}/users/{me['id']}/events")).status == 403
    async with watching(server, root, f"users/{me['id']}"):
        pass
    (entry,) = (await root.get(f"{ADMIN}/audit", action="watch_user")).data
    assert (entry["target_kind"], entry["target_id"], entry["actor_name"]) == ("user", me["id"], "Root")


@pytest.mark.parametrize("what", ["users", "threads", "connections"])
async def test_what_is_not_there(server: Server, root: Client, what: str) -> None:
    assert (await root.get(f"{ADMIN}/{what}/{new_id()}/events")).status == 404
    assert (await root.get(f"{ADMIN}/{what}/everything/events")).status == 404


async def test_how_long(server: Server, root: Client) -> None:
    me = await root.me()
    for seconds in ("0", "x", str(limits.WATCH_SECONDS_MOST + 1), "9" * 30, "000000001" + "0" * 5_000):
        answer = await root.get(f"{ADMIN}/users/{me['id']}/events", seconds=seconds)
        assert (answer.status, list(answer.error["errors"])) == (400, ["seconds"]), seconds


async def test_what_comes_too_fast_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WATCH_BURST", 2)
    told: list[dict[str, Any]] = []
    watch = Watch(Subject("thread", new_id()), lambda kind, facts: told.append(facts))
    sent = 0
    async with asyncio.timeout(20):
        while not any("omitted" in facts for facts in told):
            watch.tell("publication", {})
            sent += 1
            await asyncio.sleep(0)
    assert told[-1]["omitted"] == sent - len(told)


async def test_not_too_many(server: Server, root: Client, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WATCHES", 1)
    me = await alice.me()
    async with watching(server, root, f"users/{me['id']}"):
        assert (await root.get(f"{ADMIN}/users/{me['id']}/events")).status == 503
