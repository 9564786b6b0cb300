"""One client's session: which commands it takes, which it answers how, and what its end leaves."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from actors import limits
from actors.delivery.channel import AccessEnded
from actors.runtime.loop_actor import Stage
from actors.threads.message_streams import SendEphemeralState
from server.limits.rate_limits import RateLimiter
from server.limits.token_bucket import Rate
from server.realtime.protocol import codes
from server.realtime.session.session import _VERBS
from tests.builders import identity, settle, until
from tests.server.realtime.session.client import ANA, NOW, PING_SECONDS, Behind, Client

PING: dict[str, Any] = {"id": 2, "ping": {}}
FIRST = (3501, "bad request: the first command must be connect")


# Before connect


@pytest.mark.parametrize("command", [PING, {"send": {}}, {"id": 2, "subscribe": {"channel": "open.a"}}])
async def test_the_first_command_is_connect(stranger: Client, command: dict[str, Any]) -> None:
    assert await stranger.ask(command, {"id": 3, "connect": {"token": "ana"}}) == []
    assert stranger.wire.closed == FIRST


async def test_what_comes_with_connect_waits_for_its_answer(stranger: Client) -> None:
    answers = await stranger.ask({"id": 1, "connect": {"token": "ana"}}, {}, PING, {"id": 3, "ping": {}})
    assert [answer["id"] for answer in answers] == [1, 2, 3]


async def test_so_much_waits_for_the_answer_to_connect(stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMMANDS_PER_CONNECTION", 2)
    go_on = asyncio.Event()

    async def slowly(token: str, address: str) -> Any:
        await go_on.wait()
        return ANA

    monkeypatch.setattr(stranger.behind, "identify", slowly)
    assert await stranger.ask({"id": 1, "connect": {"token": "ana"}}, PING, PING) == []
    assert stranger.wire.closed is None
    await stranger.ask(PING)
    assert stranger.wire.closed == (3501, "bad request: too many commands before connect was answered")
    go_on.set()
    await settle()
    assert stranger.wire.chunks == [], "a connection that is closed is answered nothing"


async def test_a_bad_command_among_those_that_wait_ends_the_connection(stranger: Client) -> None:
    answers = await stranger.ask({"id": 1, "connect": {"token": "ana"}}, {"id": 0, "ping": {}}, PING)
    assert [answer["id"] for answer in answers] == [1]
    assert stranger.wire.closed == (3501, "bad request: expected an `id` from 1 to 4294967295")


async def test_a_stranger_may_send_little(stranger: Client, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    too_much = "x" * (limits.BYTES_BEFORE_CONNECT + 1)
    assert not stranger.session.admit_frame(too_much)
    assert client.session.admit_frame(too_much)
    await settle()
    most = f"{limits.FRAMES_BEFORE_CONNECT} frames and {limits.BYTES_BEFORE_CONNECT} bytes"
    assert stranger.wire.closed == (3501, f"bad request: at most {most} before connect is answered")
    client.session.refuse_more()
    await settle()
    assert client.wire.closed == (3013, "too many requests")


async def test_a_stranger_may_send_few_commands(stranger: Client) -> None:
    await stranger.ask(*[{}] * limits.FRAMES_BEFORE_CONNECT)
    assert stranger.wire.closed is None
    await stranger.ask({})
    assert stranger.wire.closed is not None


async def test_what_waits_for_the_answer_to_connect_has_a_limit_of_its_own(
    stage: Stage, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FRAMES_BEFORE_CONNECT", 1)
    connect = {"id": 1, "connect": {"token": "ana"}}
    patient, pongs, late = Client(stage, behind), Client(stage, behind), Client(stage, behind)
    assert len(await patient.ask(connect, PING, PING)) == 3
    await pongs.ask(connect, {})
    assert pongs.wire.closed is not None
    assert await late.ask({}, connect) == []
    assert (late.wire.closed is not None, late.session.identity) == (True, None)


async def test_each_frame_counts_once(stage: Stage, behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FRAMES_BEFORE_CONNECT", 2)
    session = Client(stage, behind).session
    assert [session.admit_frame("") for _ in range(3)] == [True, True, False]


# Commands


async def test_verbs_are_answered_by_their_number(client: Client) -> None:
    assert await client.ask(PING) == [{"id": 2, "ping": {}}]
    assert await client.ask({"id": 3, "ping": []}, {"id": 4, "dance": {}, "sing": {}}, {"id": 5}) == [
        {"id": 3, "error": {"code": 107, "message": "bad request: `ping` must be an object"}},
        {"id": 4, "error": {"code": 104, "message": "method not found: dance, sing"}},
        {"id": 5, "error": {"code": 104, "message": "method not found: none"}},
    ]
    assert await client.ask({}, {"send": {"data": 1}}) == []


def test_each_verb_of_the_protocol_is_handled() -> None:
    assert _VERBS.keys() | {"connect", "ping", "send"} == codes.VERBS


async def test_a_frame_that_is_none_ends_the_connection(client: Client) -> None:
    client.session.receive("no json")
    client.session.receive('{"id":2,"ping":{}}')
    await settle()
    assert client.wire.chunks[1:] == []
    assert client.wire.closed is not None
    assert client.wire.closed[0] == 3501
    assert client.wire.closed[1].startswith("bad request: expected JSON")


async def test_a_frame_that_is_too_large_is_answered_where_it_can_be(client: Client, stage: Stage) -> None:
    client.session.refuse_frame('{"id":7,"ping":{}}', 99)
    for frame in ("", "no json", '{"id":0}'):
        other = Client(stage, client.behind)
        other.session.refuse_frame(frame, 99)
        await settle()
        assert (other.wire.chunks, other.wire.closed) == ([], codes.BAD_REQUEST)
    assert (
        b'"message":"limit exceeded: a frame has at most %d bytes, 99 came"' % limits.FRAME_BYTES
        in (client.wire.chunks[-1])
    )
    assert client.wire.closed == codes.BAD_REQUEST


@pytest.fixture
async def limited(stage: Stage, behind: Behind, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Two commands at once after connect, and then for long none."""
    monkeypatch.setattr(limits, "COMMANDS_BURST", 3)
    monkeypatch.setattr(limits, "COMMANDS_PER_SECOND", 1e-9)
    monkeypatch.setattr(limits, "REFUSALS_BEFORE_CLOSE", 2)
    behind.rate_limits = True
    return await Client(stage, behind).connect()


async def test_too_many_commands_are_refused_and_after_so_many_refusals_it_ends(limited: Client) -> None:
    answers = await limited.ask(PING, {"send": {}}, PING, {"send": {}})
    assert ["error" in answer for answer in answers] == [False, True]
    assert limited.wire.closed is None
    await limited.ask(PING)
    assert limited.wire.closed == (3013, "too many requests")


async def test_too_many_that_are_not_answered_end_it_too(limited: Client) -> None:
    send: dict[str, Any] = {"send": {}}
    assert await limited.ask(*[send] * 4) == []
    assert limited.wire.closed is None
    await limited.ask(send)
    assert limited.wire.closed == (3013, "too many requests")


async def test_a_refusal_says_that_it_is_for_now_and_a_success_starts_anew(limited: Client) -> None:
    bucket: Any = limited.session._bucket
    for _ in range(3):
        *_, refused = await limited.ask(PING, PING, PING, PING)
        assert refused["error"] == {"code": 111, "message": "too many requests", "temporary": True}
        for _ in range(2):
            bucket.put_back()
    assert limited.wire.closed is None


async def test_a_user_draws_from_one_rate_by_all_connections(stage: Stage, behind: Behind) -> None:
    behind.limiter = RateLimiter({"read": Rate(1e-9, 2)})
    presence = {"id": 3, "presence": {"channel": "open.a"}}
    first, second = await Client(stage, behind).connect(), await Client(stage, behind).connect()
    answers = [(await each.ask(presence))[0] for each in (first, second, first)]
    assert ["error" in answer for answer in answers] == [False, False, True]


async def test_there_is_room_while_few_are_unanswered(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMMANDS_PER_CONNECTION", 2)
    go_on = asyncio.Event()

    async def slowly(token: str, address: str) -> Any:
        await go_on.wait()
        return ANA

    monkeypatch.setattr(client.behind, "identify", slowly)
    await asyncio.wait_for(client.session.room(), 10)
    for _ in range(2):
        go_on.clear()
        client.send({"id": 2, "refresh": {"token": "ana"}})
        assert client.session.has_room
        client.send({"id": 3, "refresh": {"token": "ana"}})
        assert not client.session.has_room
        waiting = [asyncio.ensure_future(client.session.room()) for _ in range(2)]
        await settle()
        assert not any(task.done() for task in waiting)
        go_on.set()
        await asyncio.wait_for(asyncio.gather(*waiting), 10)
        await until(lambda: client.session._unanswered == 0)


# What it is to others


async def test_whether_it_is_let_in(client: Client, stage: Stage) -> None:
    assert client.session.admit(has_seat=True) is True
    await settle()
    assert client.wire.closed is None
    assert client.session.admit(has_seat=False) is False
    late = Client(stage, client.behind)
    client.behind.hub.draining = True
    assert late.session.admit(has_seat=True) is False
    await settle()
    assert (client.wire.closed, late.wire.closed) == (codes.CONNECTION_LIMIT, codes.SHUTDOWN)


async def test_which_library_it_uses_is_known_where_it_says_so(stranger: Client, client: Client) -> None:
    assert (stranger.session.sdk, client.session.sdk) == ("none", "none")
    await stranger.ask({"id": 1, "connect": {"token": "ana", "name": "my own"}})
    assert stranger.session.sdk == "other"


async def test_its_user_is_renewed(client: Client, stranger: Client) -> None:
    named = replace(ANA.user, name="Anna")
    for each in (client, stranger):
        each.session.renew(named)
    assert client.session.identity is not None
    assert (client.session.identity.user, client.session.identity.author.name) == (named, "Anna")
    assert client.session.identity.expires_at == ANA.expires_at
    assert stranger.session.identity is None


async def test_times_reach_as_far_as_a_timer(client: Client) -> None:
    session = client.session
    assert [session.seconds_until(moment) for moment in (NOW - 5, NOW, NOW + 90, NOW + 10**9)] == [
        0.0, 0.0, 90.0, limits.TIMER_SECONDS,
    ]  # fmt: skip
    leeway = limits.TOKEN_LEEWAY_SECONDS
    assert [session.time_to_live(NOW + leeway + more) for more in (-5, 0, 1, 2, 60)] == [1, 1, 1, 2, 60]


async def test_a_ping_is_due_then_its_answer_and_then_the_next(client: Client, stranger: Client) -> None:
    assert stranger.session.ping() == PING_SECONDS
    before = len(client.wire.chunks)
    assert client.session.ping() == limits.PONG_SECONDS
    client.send({})
    assert client.session.ping() == PING_SECONDS - limits.PONG_SECONDS
    assert client.session.ping() == limits.PONG_SECONDS
    client.session._heartbeat.last_frame -= 1.0
    assert client.session.ping() is None
    await settle()
    assert client.wire.chunks[before:] == [b"{}", b"{}"]
    assert client.wire.closed == codes.NO_PONG
    assert client.session.ping() is None
    assert stranger.wire.chunks == []


async def test_who_lost_access_may_subscribe_again(client: Client) -> None:
    subscribe = {"id": 3, "subscribe": {"channel": "open.a"}}
    await client.ask(subscribe)
    assert client.session.is_subscribed("open.a")
    client.session.connection.tell(AccessEnded("open.a"))
    assert await client.ask({}) == [
        {"push": {"channel": "open.a", "unsubscribe": {"code": 2000, "reason": "access ended"}}}
    ]
    assert not client.session.is_subscribed("open.a")
    (again,) = await client.ask(subscribe)
    assert "subscribe" in again


async def test_closing_closes_once_and_takes_nothing_more(client: Client) -> None:
    client.session.close(3000, "first")
    client.session.close(3001, "second")
    assert await client.ask(PING) == []
    assert client.wire.closed == (3000, "first")


async def test_what_comes_after_a_close_has_no_effect(client: Client) -> None:
    client.session.close(3000, "the end")
    client.send({"id": 3, "publish": {"channel": "open.a", "data": 1}})
    assert client.behind.live_channels.find("open.a") is None
    assert not client.session.admit_frame("x" * (limits.BYTES_BEFORE_CONNECT + 1))


async def test_a_ping_looks_whether_the_token_expires_soon(client: Client) -> None:
    assert client.session._sign_on._timer is None
    client.behind.now = float(ANA.expires_at - 1)
    client.session.ping()
    assert client.session._sign_on._timer is not None
    client.session.end()


async def test_who_fell_behind_asks_for_the_state(client: Client) -> None:
    client.session._connection._on_behind("thread:t")
    assert client.behind.directory.calls == [("tell_if_live", "t", SendEphemeralState(client.session.connection))]


async def test_its_end_leaves_nothing(client: Client, stranger: Client) -> None:
    behind, session = client.behind, client.session
    await client.ask({"id": 3, "subscribe": {"channel": "open.a"}})
    assert (behind.hub.size, len(behind.hub.users)) == (2, 1)
    channel: Any = behind.live_channels._channels["open.a"]
    timer = stranger.session._sign_on._timer
    assert timer is not None
    stranger.session.end()
    session.end()
    assert timer.cancelled()
    await settle()
    assert (behind.hub.size, len(behind.hub.users)) == (0, 0)
    assert behind.users.named("leave") == [(1, session.connection)]
    assert behind.activity.named("went") == [(1, session)]
    assert not channel.is_needed
    session.send(b"too late")
    assert not session.connection.is_alive()


async def test_a_command_that_comes_after_the_end_is_dropped(client: Client) -> None:
    client.session.end()
    client.send({"id": 3, "subscribe": {"channel": "open.a"}})
    assert await client.ask(PING) == []


async def test_who_watches_hears_what_a_client_does(stranger: Client) -> None:
    watches, session = stranger.behind.watches, stranger.session
    await stranger.ask({"id": 1, "connect": {"token": "ana"}})
    assert watches.calls == []
    watches.is_on = True
    await stranger.ask(PING)
    session.welcome()
    session.end()
    assert watches.calls == [
        ("took", session, len('{"id": 2, "ping": {}}')), ("heard", session, "ping", {}), ("came", session),
        ("left", session),
    ]  # fmt: skip


async def test_each_user_has_so_many_connections(client: Client, stage: Stage) -> None:
    await Client(stage, client.behind).connect()
    third = Client(stage, client.behind)
    assert await third.ask({"id": 1, "connect": {"token": "ana"}}) == []
    assert (third.wire.closed, third.session.identity) == (codes.CONNECTION_LIMIT, None)
    client.behind.tokens["bo"] = identity(2)
    await Client(stage, client.behind).connect("bo")
