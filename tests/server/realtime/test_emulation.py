"""The protocol over plain HTTP: how its responses look, who may send commands of a session, and from where."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
import pytest

from actors import limits
from tests.carriers import SocketClient, StreamClient, carrier_of
from tests.forms import JSON, PROTOBUF
from tests.raw_socket import RawSocket, small_connection
from tests.realtime_client import PATIENCE
from tests.server.operations.sweep.requests import check_problem
from tests.server.realtime.waiting import connections, until
from tests.serving import Answer, Client, Server, serving
from tests.tokens import token

COOKIE = "rpotential_auth"
STREAMS = ["http_stream", "http_stream in Protobuf", "sse"]


@pytest.fixture
async def client(server: Server, alice: Client) -> AsyncIterator[StreamClient]:
    """Its session is a JSON one."""
    async with carrier_of(server.session, server.url, "http_stream") as carrier:
        client = await carrier(alice.token)
        assert isinstance(client, StreamClient)
        yield client


def connecting(token: str | None = None, **more: Any) -> str:
    return JSON.encode({"id": 1, "connect": {"token": token} if token else {}})


async def send(server: Server, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """A request to `/emulation` by somebody who has no token."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    sent = {"Content-Type": "application/json", **(headers or {})}
    async with server.session.post(f"{server.url}/emulation", data=data, headers=sent) as response:
        return Answer(response.status, response.headers, await response.read())


# How it looks


async def test_lines_of_json(server: Server, alice: Client) -> None:
    thread = await alice.thread("Grüße 🙂")
    follow = {"id": 2, "rpc": {"method": "get_thread", "data": {"id": thread["id"]}}}
    url, frame = f"{server.url}/connection/http_stream", f"{connecting(alice.token)}\n{orjson.dumps(follow).decode()}"
    headers = {"Content-Type": "application/json", "X-Correlation-ID": "mine"}
    async with server.session.post(url, data=frame, headers=headers) as response:
        looks_like_a_stream(response, "application/x-ndjson")
        assert orjson.loads(await response.content.readline())["connect"]["pong"] is True
        line = await response.content.readline()
    assert orjson.loads(line)["rpc"]["data"]["title"] == "Grüße 🙂"


def looks_like_a_stream(response: aiohttp.ClientResponse, content_type: str) -> None:
    assert response.status == 200
    assert response.headers["Content-Type"] == content_type
    assert response.headers["Cache-Control"] == "no-store, no-transform"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.headers["X-Correlation-ID"] == "mine"
    assert response.headers["Connection"] == "close"
    assert "Content-Length" not in response.headers


async def test_events(server: Server, alice: Client) -> None:
    thread = await alice.thread()
    subscribe = {"id": 2, "subscribe": {"channel": f"thread:{thread['id']}"}}
    frame = f"{connecting(alice.token)}\n{orjson.dumps(subscribe).decode()}"
    url = f"{server.url}/connection/sse?cf_connect={quote(frame)}"
    async with server.session.get(url, headers={"X-Correlation-ID": "mine"}) as response:
        looks_like_a_stream(response, "text/event-stream")
        said = b""
        while b'"subscribe"' not in said or not said.endswith(b"\n\n"):
            said += await response.content.readany()
    lines = said.decode().split("\n")
    assert [orjson.loads(line.removeprefix("data: "))["id"] for line in lines if line] == [1, 2]


async def test_protobuf(server: Server, alice: Client) -> None:
    url, frame = f"{server.url}/connection/http_stream", PROTOBUF.encode({"id": 1, "connect": {"token": alice.token}})
    headers = {"Content-Type": "application/octet-stream", "X-Correlation-ID": "mine"}
    async with server.session.post(url, data=frame, headers=headers) as response:
        looks_like_a_stream(response, "application/octet-stream")
        (reply,) = PROTOBUF.decode(await response.content.readany())
        assert reply["connect"]["pong"] is True


async def test_many_at_once_are_one_event(server: Server, alice: Client) -> None:
    """Its data has a line for each, as `EventSource` joins them."""
    thread = await alice.thread()
    async with carrier_of(server.session, server.url, "sse") as carrier:
        client = await carrier(alice.token)
        await client.subscribe(thread["id"])
        assert isinstance(client, StreamClient)
        await asyncio.gather(*(alice.say(thread, f"{number}\n\ndata: x") for number in range(30)))
        found: list[str] = []
        while len(found) < 30:
            found += (await client._frame()).split("\n")
        contents = [orjson.loads(line)["push"]["pub"]["data"]["data"]["content"] for line in found]
        assert sorted(contents) == sorted(f"{number}\n\ndata: x" for number in range(30))


# Whose session it is


async def test_a_session_is_a_secret(server: Server, alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    async with carrier_of(server.session, server.url, "sse") as carrier:
        found = []
        for _ in range(2):
            client = await carrier()
            found.append(await client.connect(alice.token))
            await client.subscribe(thread["id"])
        assert found[0]["session"] != found[1]["session"]
        assert len(found[0]["session"]) >= 43, "256 bits"
        watching = await carrier(bob.token)
        present = await watching.ask("presence", channel=f"thread:{thread['id']}")
        assert len(present["presence"]["presence"]) == 2
        for mine in found:
            assert mine["client"] in present["presence"]["presence"]
            assert mine["session"] not in orjson.dumps(present).decode()
            assert mine["client"] not in mine["session"]


async def test_commands_of_nobody(server: Server, client: StreamClient, alice: Client) -> None:
    """404, whatever of it is wrong; also by the public id of a connection, and of a WebSocket."""
    async with carrier_of(server.session, server.url, "websocket") as carrier:
        socket = (await (await carrier()).connect(alice.token))["client"]
        public = server.services.hub.clients[0].client_id
        ping = '{"id":9,"ping":{}}'
        for session_id in ("", "x", public, socket, client.session_id[:-1], client.session_id + "x"):
            refused = await send(server, {"session": session_id, "node": client.node_id, "data": ping})
            assert check_problem(refused, 404)["code"] == "not_found"
            assert session_id not in refused.error["detail"] or not session_id
        for node_id in ("", "x", client.session_id, client.node_id[:-1]):
            refused = await send(server, {"session": client.session_id, "node": node_id, "data": ping})
            assert check_problem(refused, 404)["code"] == "not_found"
    assert (await client.ask("ping"))["ping"] == {}
    assert client.inbox == []


async def test_commands_of_a_session_that_has_ended(server: Server, client: StreamClient) -> None:
    client.cut()
    await until(lambda: connections(server) == 0)
    refused = await send(server, {"session": client.session_id, "node": client.node_id, "data": "{}"})
    assert refused.status == 404


async def test_who_knows_the_session_needs_no_token(server: Server, client: StreamClient) -> None:
    data = {"session": client.session_id, "node": client.node_id, "data": '{"id":9,"ping":{}}'}
    answer = await send(server, data, {"Authorization": "Bearer nonsense", "Origin": "https://evil.example"})
    assert (answer.status, answer.raw) == (204, b"")
    assert (await client.reply(9))["ping"] == {}


# Requests that are none


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"text"', b"\xff", {}, {"session": "x"}, {"session": "x", "node": "y"},
        {"session": 5, "node": "y", "data": "{}"}, {"session": "x", "node": None, "data": "{}"},
        {"session": "x", "node": "y", "data": {"id": 1}}, {"session": "x", "node": "y", "data": ["{}"]},
        b'{"session":"\\ud800","node":"y","data":"{}"}',
    ],
)  # fmt: skip
async def test_bodies_that_are_none(server: Server, body: Any) -> None:
    assert check_problem(await send(server, body), 400)["code"] == "malformed"


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\xff", b"\x12\x02\xff\xfe", b"\x0b", b"\x80" * 11])
async def test_protobuf_that_is_none(server: Server, body: bytes) -> None:
    refused = await send(server, body, {"Content-Type": "application/octet-stream"})
    assert check_problem(refused, 400)["code"] == "malformed"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_types_that_are_not_read(server: Server, alice: Client, content_type: str) -> None:
    """Among them all that a page may send to elsewhere without asking first."""
    for path, body in (("/emulation", b"{}"), ("/connection/http_stream", connecting(alice.token).encode())):
        refused = await alice.request("POST", path, data=body, headers={"Content-Type": content_type})
        assert check_problem(refused, 415)["code"] == "unsupported_media_type"
    packed = await send(server, b"x", {"Content-Encoding": "gzip"})
    assert check_problem(packed, 415)["code"] == "unsupported_media_type"


async def test_the_other_form(server: Server, client: StreamClient) -> None:
    body = PROTOBUF.emulated(client.session_id, client.node_id, PROTOBUF.encode({"id": 9, "ping": {}}))
    refused = await send(server, body, {"Content-Type": "application/octet-stream"})
    assert check_problem(refused, 400)["code"] == "malformed"
    assert (await client.ask("ping"))["ping"] == {}


@pytest.mark.parametrize("size", [limits.FRAME_BYTES + 1, limits.BODY_BYTES])
async def test_too_large(server: Server, client: StreamClient, size: int) -> None:
    """As over a WebSocket: the command in it is told, and the connection ends. Beyond what is read, nobody knows whose
    it is."""
    frame = '{"id":9,"ping":{}}'.ljust(size)
    refused = await send(server, {"session": client.session_id, "node": client.node_id, "data": frame})
    assert check_problem(refused, 413)["code"] == "too_large"
    if size < limits.BODY_BYTES:
        assert (await client.reply(9))["error"]["code"] == 106
        assert (await client.closed()).code == 3501
    else:
        assert (await client.ask("ping"))["ping"] == {}


async def test_methods(alice: Client) -> None:
    for method, path in (("GET", "/emulation"), ("GET", "/connection/http_stream"), ("POST", "/connection/sse")):
        assert check_problem(await alice.request(method, path), 405)["code"] == "method_not_allowed"


async def test_a_query_opens_and_does_nothing_else(server: Server, alice: Client) -> None:
    """Somebody who follows a link must not write by that, with the cookie that their browser sends along."""
    thread = await alice.thread()
    channel = f"thread:{thread['id']}"
    for more in (
        {"publish": {"channel": channel, "data": {"content": "x"}}}, {"rpc": {"method": "get_me"}}, {"send": {}},
        {"subscribe": {"channel": channel}, "rpc": {}, "id": 2}, {"rpc": {}, "subscribe": {}}, {"nonsense": {}},
    ):  # fmt: skip
        frame = f"{connecting()}\n{orjson.dumps({'id': 2, **more}).decode()}"
        answer = await refused_or_begun(server, f"?cf_connect={quote(frame)}", {"Cookie": f"{COOKIE}={alice.token}"})
        is_first = next(name for name in more if name != "id") == "subscribe"
        assert answer == (200 if is_first else 400)
    assert (await alice.get(f"/api/v1/threads/{thread['id']}")).data["offset"] == 1


async def refused_or_begun(server: Server, query: str, headers: Mapping[str, str]) -> int:
    async with server.session.get(f"{server.url}/connection/sse{query}", headers=headers) as response:
        if response.status != 200:
            check_problem(Answer(response.status, response.headers, await response.read()), response.status)
        return response.status


async def test_no_command(server: Server, alice: Client) -> None:
    for query in ("", "?cf_connect=", "?x=1"):
        assert check_problem(await alice.get(f"/connection/sse{query}"), 400)["code"] == "malformed"
    headers = {"Content-Type": "application/json"}
    for body, status in ((b"", 400), (b"\xff\xfe", 400), (b" " * (limits.FRAME_BYTES + 1), 413)):
        refused = await alice.request("POST", "/connection/http_stream", data=body, headers=headers)
        check_problem(refused, status)


async def test_a_query_that_is_no_command(server: Server, alice: Client) -> None:
    """Told in the stream, so that an SDK does not try for ever."""
    async with carrier_of(server.session, server.url, "sse") as carrier:
        client = await carrier()
        await client.send_frame("nonsense")
        assert (await client.closed()).code == 3501


async def test_http_1_0(server: Server, alice: Client) -> None:
    path = f"/connection/sse?cf_connect={quote(connecting(alice.token))}"
    async with small_connection(server.url) as socket:
        await socket.send(f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        answer = await socket.reader.readuntil(b'"connect"')
    assert answer.startswith(b"HTTP/1.0 200")
    assert b"Transfer-Encoding" not in answer, "its end is the connection's"


# Browsers


def from_page(server: Server, alice: Client, **headers: str) -> dict[str, str]:
    told = {"Cookie": f"{COOKIE}={alice.token}", "Content-Type": "application/json"}
    return told | {name.replace("_", "-"): value.replace("OURS", server.url) for name, value in headers.items()}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200), ({"Sec_Fetch_Site": "same-origin"}, 200), ({"Origin": "OURS"}, 200),
        ({"Sec_Fetch_Site": "cross-site"}, 403), ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "https://evil.example"}, 403),
    ],
)  # fmt: skip
async def test_events_by_cookie(server: Server, alice: Client, headers: dict[str, str], status: int) -> None:
    query = f"?cf_connect={quote(connecting())}"
    assert await refused_or_begun(server, query, from_page(server, alice, **headers)) == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 200), ({"Origin": "OURS"}, 200), ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403)],
)
async def test_lines_by_cookie(server: Server, alice: Client, headers: dict[str, str], status: int) -> None:
    """As a WebSocket has it."""
    url, sent = f"{server.url}/connection/http_stream", from_page(server, alice, **headers)
    async with server.session.post(url, data=connecting(), headers=sent) as response:
        assert response.status == status
        if status == 200:
            assert "connect" in orjson.loads(await response.content.readline())


async def test_pages_of_allowed_origins(tmp_path: Path) -> None:
    origin = "https://app.example.com"
    async with serving(tmp_path / "data", ALLOWED_ORIGINS=origin) as server:
        alice = server.client("alice")
        asking = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        for path in ("/connection/http_stream", "/emulation"):
            async with server.session.options(server.url + path, headers=asking) as preflight:
                assert preflight.status == 204
                assert "Content-Type" in preflight.headers["Access-Control-Allow-Headers"]
        url, sent = f"{server.url}/connection/http_stream", from_page(server, alice, Origin=origin)
        async with server.session.post(url, data=connecting(), headers=sent) as response:
            assert response.headers["Access-Control-Allow-Origin"] == origin
            told = orjson.loads(await response.content.readline())["connect"]
            body = {"session": told["session"], "node": told["node"], "data": '{"id":2,"ping":{}}'}
            answer = await send(server, body, {"Origin": origin})
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert orjson.loads(await response.content.readline()) == {"id": 2, "ping": {}}


# Under load


async def test_more_commands_than_may_be_unanswered(
    server: Server, client: StreamClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requests wait, as a socket would; in the end each is answered."""
    monkeypatch.setattr(limits, "COMMANDS_PER_CONNECTION", 2)
    numbers = range(100, 140)
    frames = [orjson.dumps({"id": number, "rpc": {"method": "get_me"}}).decode() for number in numbers]
    assert set(await asyncio.gather(*map(client.emulate, frames))) == {204}
    assert {(await client.next())["id"] for _ in numbers} == set(numbers)


@pytest.mark.parametrize("name", STREAMS)
async def test_who_does_not_read(server: Server, alice: Client, name: str) -> None:
    thread = await alice.thread()
    subscribe = {"id": 2, "subscribe": {"channel": f"thread:{thread['id']}"}}
    async with carrier_of(server.session, server.url, name) as carrier, small_connection(server.url) as socket:
        await begin(socket, carrier.kind, carrier.form, {"id": 1, "connect": {"token": alice.token}}, subscribe)
        other: SocketClient = await carrier(alice.token)
        await other.subscribe(thread["id"])
        for offset in range(2, 202):
            await alice.say(thread, "x" * 60_000)
            assert (await other.push())["pub"]["offset"] == offset
        await until(lambda: connections(server) == 1)
        await socket.gone()
        assert (await other.ask("ping"))["ping"] == {}


async def begin(socket: RawSocket, kind: str, form: Any, *commands: dict[str, Any]) -> None:
    frame = form.encode(*commands)
    body = frame if isinstance(frame, bytes) else frame.encode()
    if kind == "sse":
        head, body = f"GET /connection/sse?cf_connect={quote(body)} HTTP/1.1\r\n", b""
    else:
        head = f"POST /connection/http_stream HTTP/1.1\r\nContent-Type: {form.content_type}\r\n"
    await socket.send(f"{head}Host: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    async with asyncio.timeout(PATIENCE):
        await socket.reader.readuntil(b"epoch" if form is JSON else b"\x32")


async def test_an_end_that_nobody_takes(server: Server, alice: Client) -> None:
    """Buffered, but too little to be slow; then the server says goodbye: nothing of it stays behind."""
    thread = await alice.thread()
    subscribe = {"id": 2, "subscribe": {"channel": f"thread:{thread['id']}"}}
    async with small_connection(server.url) as socket:
        await begin(socket, "sse", JSON, {"id": 1, "connect": {"token": token("alice")}}, subscribe)
        (client,) = server.services.hub.clients
        wire = client._connection._transport  # type: ignore[attr-defined]
        while wire.buffered() <= limits.SOCKET_BUFFER_BYTES:
            await alice.say(thread, "x" * 60_000)
        client.close(3005, "connection expired")
        await until(lambda: connections(server) == 0)
    assert server.services.hub.size == 0
