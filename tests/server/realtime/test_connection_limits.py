"""How many connections a user and an address may hold: counted exactly, and given back however they end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import centrifuge
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import TooManyRequests
from server.limits.connection_limiter import ConnectionLimiter
from tests.raw_socket import raw_socket
from tests.realtime_client import Disconnected, EventStream, RawClient, event_stream, raw_client
from tests.server.operations.sweep.requests import check_problem
from tests.server.realtime.conftest import Dial
from tests.server.realtime.waiting import until
from tests.serving import Client, Server, serving
from tests.tokens import token

LIMITED = {"RATE_LIMITS": "on", "MAX_CONNECTIONS_PER_USER": "3", "MAX_CONNECTIONS_PER_ADDRESS": "5"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", **LIMITED, TRUSTED_PROXIES="127.0.0.0/8") as running:
        yield running


class Door:
    """Opens connections that stay open until the test ends."""

    def __init__(self, server: Server, stack: AsyncExitStack) -> None:
        self._server = server
        self._stack = stack

    async def socket(self, name: str | None, address: str = "203.0.113.1") -> RawClient:
        headers = {"X-Forwarded-For": address}
        client = await self._stack.enter_async_context(
            raw_client(self._server.session, self._server.websocket_url, headers=headers)
        )
        if name is not None:
            await client.send(client.command("connect", token=token(name)))
        return client

    async def stream(self, client: Client) -> EventStream:
        url = f"{self._server.url}/api/v1/events"
        return await self._stack.enter_async_context(event_stream(self._server.session, url, client.token))


@pytest.fixture
async def door(server: Server) -> AsyncIterator[Door]:
    async with AsyncExitStack() as stack:
        yield Door(server, stack)


async def is_in(client: RawClient) -> bool:
    return "connect" in await client.next()


def nobody(server: Server) -> bool:
    return not len(server.services.hub.users) and not len(server.services.hub.addresses)


async def test_of_one_user(server: Server, door: Door, alice: Client) -> None:
    """Sockets and streams together; whoever comes then is told not to come back by itself."""
    for number in range(2):
        assert await is_in(await door.socket("alice", f"203.0.113.{number}"))
    stream = await door.stream(alice)
    end = await (await door.socket("alice", "203.0.113.9")).closed()
    assert (end.code, end.reason) == (3504, "connection limit")
    refused = await alice.get("/api/v1/events")
    assert check_problem(refused, 429)["code"] == "rate_limited"
    assert "3 connections are open" in refused.error["detail"]
    assert int(refused.headers["Retry-After"]) >= 1
    assert await is_in(await door.socket("bob")), "nobody else's"
    stream.cut()
    await until(lambda: server.services.hub.size == 3)
    assert await is_in(await door.socket("alice", "203.0.113.10")), "one has gone"


async def test_of_one_address(server: Server, door: Door) -> None:
    """Whoever they are, also those who have not said it."""
    for name in ("a", "b", "c", None, None):
        await door.socket(name)
    end = await (await door.socket("d")).closed()
    assert (end.code, end.reason) == (3504, "connection limit")
    refused = await server.client("e").get("/api/v1/events", {"X-Forwarded-For": "203.0.113.1"})
    assert "MAX_CONNECTIONS_PER_ADDRESS" in check_problem(refused, 429)["detail"]
    assert await is_in(await door.socket("f", "203.0.113.2"))


async def test_neighbours_of_ipv6_are_one(door: Door) -> None:
    for last in range(5):
        assert await is_in(await door.socket(f"p{last}", f"2001:db8::{last}"))
    assert (await (await door.socket("x", "2001:db8::ffff")).closed()).code == 3504
    assert await is_in(await door.socket("x", "2001:db8:0:1::1"))


async def test_all_at_once(server: Server, alice: Client) -> None:
    """As many as may be, not one more, whoever is asked first."""
    url, headers = f"{server.url}/api/v1/events", {"Authorization": f"Bearer {alice.token}"}
    answers = await asyncio.gather(*(server.session.get(url, headers=headers) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 3 + [429] * 17
    for answer in answers:
        answer.close()
    await until(lambda: nobody(server))


async def test_sockets_all_at_once(door: Door) -> None:
    async def outcome(client: RawClient) -> int:
        try:
            return 0 if await is_in(client) else -1
        except Disconnected as end:
            return end.code or -1

    clients = [await door.socket("alice", f"203.0.113.{number}") for number in range(20)]
    assert sorted([await outcome(client) for client in clients]) == [0] * 3 + [3504] * 17


async def test_every_way_out_gives_the_place_back(server: Server, alice: Client) -> None:
    thread = await alice.thread()
    headers = {"X-Forwarded-For": "203.0.113.1"}
    for _ in range(4):
        async with raw_client(server.session, server.websocket_url, alice.token, headers=headers):
            pass
        async with raw_client(server.session, server.websocket_url, alice.token, headers=headers) as client:
            client.cut()
        async with raw_client(server.session, server.websocket_url, headers=headers) as client:
            await client.socket.send_str("no JSON")
            assert (await client.closed()).code == 3501
        async with raw_client(server.session, server.websocket_url, headers=headers) as client:
            await client.send(client.command("connect", token="no token"))
            assert (await client.closed()).code == 3500
        async with raw_client(server.session, server.websocket_url, headers=headers) as client:
            await client.send(client.command("connect", token=alice.token))
            client.cut()  # perhaps before it was judged
        async with raw_socket(server.url):
            pass
        assert (await alice.get("/connection/websocket", headers)).status == 400
        assert (await alice.get(f"/api/v1/threads/c{'0' * 24}/events", headers)).status == 404
        assert (await alice.get("/api/v1/events?threads=x", headers)).status == 400
        async with event_stream(
            server.session, f"{server.url}/api/v1/threads/{thread['id']}/events", alice.token
        ) as stream:
            stream.cut()
        await until(lambda: nobody(server))


async def test_who_goes_while_the_token_is_judged(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    judging, go_on, judged = asyncio.Event(), asyncio.Event(), asyncio.Event()
    services = type(server.services)
    judge = services._judge

    async def slowly(self: object, text: str) -> object:
        judging.set()
        await go_on.wait()
        try:
            return await judge(self, text)  # type: ignore[arg-type]
        finally:
            judged.set()

    monkeypatch.setattr(services, "_judge", slowly)
    async with raw_client(server.session, server.websocket_url) as client:
        await client.send(client.command("connect", token=token("slow")))
        await judging.wait()
        client.cut()
        await until(lambda: server.services.hub.size == 0)
    go_on.set()
    await judged.wait()
    await until(lambda: nobody(server))


async def test_the_sdk_does_not_come_back(server: Server, door: Door) -> None:
    for number in range(3):
        assert await is_in(await door.socket("alice", f"203.0.113.{number}"))
    ended = asyncio.get_running_loop().create_future()

    class Events(centrifuge.ClientEventHandler):
        async def on_disconnected(self, ctx: centrifuge.DisconnectedContext) -> None:
            ended.set_result((ctx.code, ctx.reason))

    client = centrifuge.Client(server.websocket_url, token=token("alice"), events=Events())
    await client.connect()
    async with asyncio.timeout(30):
        assert await ended == (3504, "connection limit")
    assert client.state is centrifuge.ClientState.DISCONNECTED


async def test_off_with_the_other_limits(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", **LIMITED | {"RATE_LIMITS": "off"}) as server, AsyncExitStack() as stack:
        door = Door(server, stack)
        for _ in range(8):
            assert await is_in(await door.socket("alice"))
        assert nobody(server), "nothing is counted"


async def test_an_operator_is_told_once(server: Server, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        await door.socket(None)
    for _ in range(3):
        await (await door.socket(None)).closed()
    told = [record.getMessage() for record in caplog.records if "TRUSTED_PROXIES" in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("203.0.113.1 holds 5 connections, which is MAX_CONNECTIONS_PER_ADDRESS")


async def test_what_a_refused_socket_asks_is_not_heard(door: Door, dial: Dial) -> None:
    for _ in range(5):
        await door.socket(None)
    client = await door.socket(None)
    await client.send(*(client.command("connect", token=token("alice")) for _ in range(50)))
    assert (await client.closed()).code == 3504


# ConnectionLimiter by themselves


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=100), st.integers(1, 4))
def test_seats_are_counted(steps: list[tuple[bool, int]], limit: int) -> None:
    seats = ConnectionLimiter(limit, "LIMIT")
    held = dict.fromkeys(range(4), 0)
    for is_coming, who in steps:
        if is_coming:
            assert seats.take(who) == (held[who] < limit)
            held[who] = min(limit, held[who] + 1)
        elif held[who]:
            seats.free(who)
            held[who] -= 1
        assert len(seats) == sum(count > 0 for count in held.values()), "who holds none takes no memory"


def test_a_seat_for_a_while() -> None:
    seats = ConnectionLimiter(1, "LIMIT")
    with seats.one("a"):
        with pytest.raises(TooManyRequests, match="LIMIT"), seats.one("a"):
            pass
        with seats.one("b"):
            pass
    with pytest.raises(ValueError, match="x"), seats.one("a"):
        raise ValueError("x")
    assert len(seats) == 0
