"""One protocol over everything that carries it: WebSocket, http_stream and sse, in JSON and in Protobuf."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from actors.identifiers import new_id
from tests.carriers import CARRIERS, Carrier, SocketClient, carrier_of
from tests.forms import PROTOBUF, bare
from tests.realtime_client import raw_client
from tests.server.realtime.waiting import connections, until
from tests.serving import Client, Server, serving
from tests.tokens import token


@pytest.fixture(params=CARRIERS)
async def dial(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Carrier]:
    async with carrier_of(server.session, server.url, request.param) as carrier:
        yield carrier


@pytest.fixture
async def client(dial: Carrier, alice: Client) -> SocketClient:
    return await dial(alice.token)


@pytest.fixture
async def thread(alice: Client) -> Any:
    return await alice.thread()


# What is said


async def test_what_connect_answers(dial: Carrier, alice: Client) -> None:
    answer = await (await dial()).connect(alice.token)
    assert answer["version"].startswith("experience-server ")
    assert (answer["ping"], answer["pong"], answer["expires"]) == (25, True, True)
    assert 890 < answer["ttl"] <= 900
    assert answer["node"]
    assert ("session" in answer) == dial.is_emulated


async def test_the_hub_knows_what_carries_it(client: SocketClient, dial: Carrier, server: Server) -> None:
    (found,) = server.services.hub.clients
    assert found.transport == dial.kind


COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("ping", {}),
    ("subscribe", {"channel": "THREAD", "recover": True}),
    ("subscribe", {"channel": "THREAD"}),
    ("history", {"channel": "THREAD", "limit": 10}),
    ("history", {"channel": "THREAD", "limit": 1, "since": {"offset": 1}}),
    ("history", {"channel": "THREAD", "limit": 10, "reverse": True}),
    ("history", {"channel": "THREAD"}),
    ("history", {"channel": "THREAD", "limit": 5, "since": {"offset": 1, "epoch": "another"}}),
    ("history", {"channel": "THREAD", "limit": 5, "since": {"offset": 2**63}}),
    ("presence_stats", {"channel": "THREAD"}),
    ("presence", {"channel": "nonsense"}),
    ("unsubscribe", {"channel": "THREAD"}),
    ("unsubscribe", {}),
    ("subscribe", {"channel": "THREAD", "recover": True, "epoch": "another", "offset": 1}),
    ("unsubscribe", {"channel": "THREAD"}),
    ("subscribe", {"channel": "THREAD", "recover": True, "epoch": "another", "offset": 1, "flag": 2}),
    ("subscribe", {"channel": f"thread:{new_id()}"}),
    ("subscribe", {"channel": "artifact:x"}),
    ("subscribe", {"channel": ""}),
    ("subscribe", {"channel": "x" * 256}),
    ("rpc", {"method": "get_me", "data": {}}),
    ("rpc", {"method": "get_me"}),
    ("rpc", {"method": "get_thread", "data": {"id": "ID"}}),
    ("rpc", {"method": "list_messages", "data": {"thread_id": "ID"}}),
    ("rpc", {"method": "nonsense", "data": {}}),
    ("rpc", {"data": {}}),
    ("rpc", {}),
    ("publish", {"channel": "nonsense", "data": {}}),
    ("sub_refresh", {"channel": "THREAD", "token": "x"}),
    ("refresh", {}),
    ("refresh", {"token": token("alice", ttl_seconds=-60)}),
]


@pytest.mark.parametrize(
    "refused",
    [
        {"method": "get_thread", "data": {"id": "nonsense"}}, {"method": "create_message", "data": {"content": "x"}},
        {"method": "get_me", "data": [1]}, {"method": "get_me", "data": "text"}, {"method": "get_user", "data": 5},
    ],
)  # fmt: skip
async def test_problems_in_messages(client: SocketClient, server: Server, alice: Client, refused: Any) -> None:
    """But for time and trace the same as everywhere."""
    async with raw_client(server.session, server.websocket_url, alice.token) as socket:
        there, here = await socket.error("rpc", **refused), await client.error("rpc", **refused)
    assert here[0] == there[0] == 107
    cut = here[1].index('"timestamp"')
    assert here[1][:cut] == there[1][:cut]


def of_thread(draft: Any, thread_id: str) -> Any:
    if isinstance(draft, dict):
        return {name: of_thread(value, thread_id) for name, value in draft.items()}
    return {"THREAD": f"thread:{thread_id}", "ID": thread_id}.get(draft, draft)


async def test_answers_are_the_same_everywhere(
    client: SocketClient, server: Server, alice: Client, thread: Any
) -> None:
    await alice.say(thread, "Grüße, 世界 🙂", metadata={"a": [None, False, 0, ""]})
    async with raw_client(server.session, server.websocket_url, alice.token) as socket:
        for verb, draft in COMMANDS:
            body = of_thread(draft, thread["id"])
            there, here = await socket.ask(verb, **body), await client.ask(verb, **body)
            if verb == "presence_stats":  # two of them by now
                there["presence_stats"] = here["presence_stats"]
            assert bare({**here, "id": 0}) == bare({**there, "id": 0}), (verb, body)


async def test_subscribe_publish_unsubscribe(client: SocketClient, thread: Any) -> None:
    channel = f"thread:{thread['id']}"
    answer = await client.subscribe(thread["id"])
    assert answer["recoverable"] is answer["positioned"] is True
    assert answer["offset"] == 1
    data = {"content": "Grüße, 世界 🙂", "metadata": {"a": [1, None]}}
    assert (await client.ask("publish", channel=channel, data=data))["publish"] == {}
    push = await client.push()
    assert push["channel"] == channel
    assert push["pub"]["offset"] == push["pub"]["data"]["offset"] == 2
    told = push["pub"]["data"]["data"]
    assert {name: told[name] for name in data} == data
    assert (await client.ask("unsubscribe", channel=channel))["unsubscribe"] == {}
    await client.ask("publish", channel=channel, data={"content": "two"})
    assert (await client.ask("ping"))["ping"] == {}
    assert client.inbox == []


async def test_presence_and_who_joins_and_leaves(client: SocketClient, dial: Carrier, alice: Client) -> None:
    thread = await alice.thread()
    channel = f"thread:{thread['id']}"
    await client.subscribe(thread["id"], join_leave=True)
    other = await dial()
    his = (await other.connect(alice.token))["client"]
    await other.subscribe(thread["id"])
    me = await alice.me()
    info = {"user": me["id"], "client": his, "conn_info": {"name": "Alice", "kind": "HUMAN"}}
    assert await client.push() == {"channel": channel, "join": {"info": info}}
    present = (await client.ask("presence", channel=channel))["presence"]["presence"]
    assert len(present) == 2
    assert present[his] == info
    await other.ask("unsubscribe", channel=channel)
    while "leave" not in (push := await client.push()):
        pass
    assert push == {"channel": channel, "leave": {"info": info}}


async def test_what_passes(client: SocketClient, alice: Client, thread: Any) -> None:
    """Without a place in the log."""
    await client.subscribe(thread["id"])
    await alice.post(f"/api/v1/threads/{thread['id']}/messages", status="STREAMING")
    message = (await client.push())["pub"]["data"]["data"]
    await alice.post(f"/api/v1/messages/{message['id']}/append", text="Es war einmal …")
    pub = (await client.push())["pub"]
    assert "offset" not in pub
    assert pub["data"]["data"]["text"] == "Es war einmal …"


async def test_live_channels(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", LIVE_CHANNELS="cursor:*") as server, AsyncExitStack() as stack:
        for name in CARRIERS:
            dial = Carrier(server.session, server.url, name, stack)
            client, channel = await dial(token("alice")), f"cursor:{len(name)}"
            first = (await client.ask("subscribe", channel=channel))["subscribe"]
            await client.ask("publish", channel=channel, data={"x": [1, "ü"]})
            pub = (await client.push())["pub"]
            assert (pub["data"], pub["offset"]) == ({"x": [1, "ü"]}, 1)
            assert pub["info"]["conn_info"] == {"name": "Alice", "kind": "HUMAN"}
            history = (await client.ask("history", channel=channel, limit=5))["history"]
            assert history == {"publications": [pub], "epoch": first["epoch"], "offset": 1}


async def test_everything_in_one_frame(dial: Carrier, alice: Client, thread: Any) -> None:
    client = await dial()
    channel = f"thread:{thread['id']}"
    await client.send(client.command("connect", token=token("alice")), client.command("subscribe", channel=channel))
    assert (await client.next())["connect"]["client"]
    assert (await client.next())["subscribe"]["offset"] == 1
    await alice.say(thread)
    assert (await client.push())["pub"]["offset"] == 2


# Recovery


@pytest.mark.parametrize("offset", [0, 4, 7])
async def test_what_was_missed(client: SocketClient, alice: Client, thread: Any, offset: int) -> None:
    for number in range(2, 8):
        await alice.say(thread, str(number))
    answer = await client.subscribe(thread["id"], recover=True, offset=offset)
    assert answer["was_recovering"] is answer["recovered"] is True
    assert [item["offset"] for item in answer.get("publications", [])] == list(range(offset + 1, 8))
    await alice.say(thread, "live")
    assert (await client.push())["pub"]["offset"] == 8


async def test_as_much_as_is_told(client: SocketClient, alice: Client, thread: Any) -> None:
    """300 events are, one more is not."""
    await asyncio.gather(*(alice.say(thread, str(number)) for number in range(300)))
    answer = await client.subscribe(thread["id"], recover=True, offset=1)
    assert [item["offset"] for item in answer["publications"]] == list(range(2, 302))
    await client.ask("unsubscribe", channel=f"thread:{thread['id']}")
    again = await client.subscribe(thread["id"], recover=True)
    assert again["was_recovering"] is True
    assert "recovered" not in again
    assert "publications" not in again


async def test_much_at_once(client: SocketClient, alice: Client, thread: Any) -> None:
    """More than fits in one frame, and than the kernel takes."""
    await client.subscribe(thread["id"])
    await asyncio.gather(*(alice.say(thread, "ü" * 15_000) for _ in range(40)))
    assert [pub["offset"] for pub in await client.publications(40)] == list(range(2, 42))


# The end


async def test_access_ends(client: SocketClient, alice: Client, thread: Any) -> None:
    await client.subscribe(thread["id"])
    assert (await alice.delete(f"/api/v1/threads/{thread['id']}")).status == 200
    assert (await client.push())["pub"]["data"]["type"] == "thread.deleted"
    assert await client.push() == {
        "channel": f"thread:{thread['id']}", "unsubscribe": {"code": 2000, "reason": "access ended"},
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "code"), [("forged", 3500), ("elsewhere", 3507)])
async def test_tokens_that_are_no_good(dial: Carrier, kind: str, code: int) -> None:
    """Made here: a token that is made when tests are collected has expired before the end of a long run."""
    elsewhere = token("eve", domain="evil.example", email="eve@evil.example")
    client = await dial()
    await client.send(client.command("connect", token="forged" if kind == "forged" else elsewhere))
    assert (await client.closed()).code == code


async def test_no_token(dial: Carrier) -> None:
    client = await dial()
    await client.send(client.command("connect"))
    assert (await client.closed()).code == 3500


async def test_a_header_will_do(dial: Carrier, alice: Client, thread: Any) -> None:
    client = await dial(headers={"Authorization": f"Bearer {alice.token}"})
    answer = (await client.ask("connect"))["connect"]
    assert "expires" not in answer
    assert (await client.subscribe(thread["id"]))["recoverable"] is True


async def test_an_expired_token(dial: Carrier) -> None:
    client = await dial()
    code, message = await client.error("connect", token=token("alice", ttl_seconds=-60))
    assert (code, message) == (109, "The token has expired; sign in again or refresh it.")


async def test_what_is_not_of_the_protocol(client: SocketClient, dial: Carrier) -> None:
    await client.send_frame(b"\xff\xff\xff\xff\xff" if dial.form is PROTOBUF else "{")
    end = await client.closed()
    assert end.code == 3501
    assert end.reason.startswith("bad request: expected")


async def test_a_command_before_connect(dial: Carrier) -> None:
    client = await dial()
    await client.send(client.command("subscribe", channel="x"))
    assert (await client.closed()).code == 3501


async def test_connecting_twice(client: SocketClient, alice: Client) -> None:
    await client.send(client.command("connect", token=alice.token))
    assert (await client.closed()).code == 3501


@pytest.mark.parametrize("more", [0, 1])
async def test_the_largest_frame(client: SocketClient, more: int) -> None:
    command = {"id": 9, "rpc": {"method": "get_me", "data": {"nonsense": "x" * 60_000}}}
    missing = limits.FRAME_BYTES + more - len(client.form.encode(command))
    command["rpc"]["data"]["nonsense"] += "x" * missing  # type: ignore[index]
    assert len(client.form.encode(command)) == limits.FRAME_BYTES + more
    await client.send(command)
    error = (await client.reply(9))["error"]
    if more:
        assert error == {"code": 106, "message": "limit exceeded: a frame has at most 65536 bytes, 65537 came"}
        assert (await client.closed()).code == 3501
    else:
        assert error["code"] == 107


async def test_the_end_of_a_token(dial: Carrier) -> None:
    client = await dial()
    assert (await client.connect(token("alice", ttl_seconds=2 - limits.TOKEN_LEEWAY_SECONDS)))["ttl"] == 1
    end = await client.closed()
    assert (end.code, end.reason) == (3005, "connection expired")


async def test_a_refresh_in_time(client: SocketClient) -> None:
    answer = (await client.ask("refresh", token=token("alice", ttl_seconds=2_000)))["refresh"]
    assert answer["expires"] is True
    assert 1_990 < answer["ttl"] <= 2_000


async def test_who_does_not_connect(dial: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 0.1)
    client = await dial()
    await client.send_frame(client.form.pong)
    end = await client.closed()
    assert (end.code, end.reason) == (3502, "stale")


async def test_pings(dial: Carrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers them stays, who does not is sent away."""
    monkeypatch.setattr(limits, "PONG_SECONDS", 0.3)
    async with (
        serving(tmp_path / "other", PING_INTERVAL="0.6") as server,
        carrier_of(server.session, server.url, dial.name) as there,
    ):
        client = await there(token("alice"))
        answered: list[float] = []
        pong = client.form.pong

        async def take_in(reply: dict[str, Any]) -> None:
            assert reply == {}
            answered.append(time.monotonic())
            if len(answered) < 3:
                await client.send_frame(pong)

        monkeypatch.setattr(client, "_take_in", take_in)
        end = await client.closed()
        assert (end.code, end.reason) == (3012, "no pong")
        assert len(answered) == 3


async def test_shutdown(dial: Carrier, tmp_path: Path) -> None:
    async with serving(tmp_path / "other") as server, carrier_of(server.session, server.url, dial.name) as there:
        client = await there(token("alice"))
        draining = asyncio.create_task(server.services.hub.drain(3001, "shutdown", seconds=5))
        end = await client.closed()
        assert (end.code, end.reason) == (3001, "shutdown")
        late = await there()
        with contextlib.suppress(ConnectionError):  # told before it could ask
            await late.send(late.command("connect", token=token("alice")))
        assert (await late.closed()).code == 3001
        assert await draining == 0


async def test_as_many_as_a_user_may_hold(dial: Carrier, tmp_path: Path) -> None:
    limited = {"RATE_LIMITS": "on", "MAX_CONNECTIONS_PER_USER": "1", "MAX_CONNECTIONS_PER_ADDRESS": "2"}
    async with (
        serving(tmp_path / "other", **limited) as server,
        carrier_of(server.session, server.url, dial.name) as there,
    ):
        first = await there(token("alice"))
        for name in ("alice", "bob"):  # one too many of hers; then two of the address, when that one has gone
            client = await there()
            await client.send(client.command("connect", token=token(name)))
            if name == "alice":
                assert (await client.closed()).code == 3504
                await until(lambda: len(server.services.hub.clients) == 1)
            else:
                assert "connect" in await client.next()
        third = await there()
        await third.send(third.command("connect", token=token("carol")))
        end = await third.closed()
        assert (end.code, end.reason) == (3504, "connection limit")
        first.cut()
        await until(lambda: len(server.services.hub.clients) == 1)
        await there(token("alice"))


async def test_too_many_commands(dial: Carrier, tmp_path: Path) -> None:
    async with (
        serving(tmp_path / "other", RATE_LIMITS="on") as server,
        carrier_of(server.session, server.url, dial.name) as there,
    ):
        client = await there(token("alice"))
        await client.send(*(client.command("ping") for _ in range(limits.COMMANDS_BURST + 50)))
        answers = [await client.next() for _ in range(limits.COMMANDS_BURST + 50)]
        refused = [answer["error"] for answer in answers if "error" in answer]
        assert len(refused) >= 40
        assert refused[0] == {"code": 111, "message": "too many requests", "temporary": True}


async def test_nothing_is_left_of_whoever_has_gone(client: SocketClient, server: Server, thread: Any) -> None:
    await client.subscribe(thread["id"])
    assert connections(server) == 1
    client.cut()
    await until(lambda: connections(server) == 0)
    assert server.services.hub.size == 0
