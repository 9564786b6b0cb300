"""Subscriptions of one client to an application's own channels: joining, leaving, publishing, looking, and tokens."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from actors import limits
from actors.errors import NotFound
from actors.identifiers import new_id
from actors.runtime.loop_actor import Stage
from server.auth.tokens import ChannelClaims
from server.realtime.protocol import codes
from tests.actors.clock import Clock
from tests.builders import identity, settle
from tests.server.realtime.session.client import ANA, NOW, Behind, Client


def subscribe(channel: str = "open.a", number: int = 2, **body: Any) -> dict[str, Any]:
    return {"id": number, "subscribe": {"channel": channel, **body}}


def publish(data: Any, channel: str = "open.a") -> dict[str, Any]:
    return {"id": 3, "publish": {"channel": channel, "data": data}}


async def epoch(client: Client, channel: str = "open.a") -> str:
    (answer,) = await client.ask({"id": 8, "history": {"channel": channel, "limit": 0}})
    return str(answer["history"]["epoch"])


# Joining and leaving


async def test_who_joins_gets_what_is_published_until_they_leave(client: Client) -> None:
    (joined,) = await client.ask(subscribe())
    assert joined["subscribe"] == {
        "recoverable": True, "positioned": True, "epoch": await epoch(client), "offset": 0,
    }  # fmt: skip
    info = {"client": client.session.client_id, "user": ANA.user.id, "conn_info": {"name": "User 1", "kind": "HUMAN"}}
    told = await client.ask(publish({"n": 1}))
    assert {"push": {"channel": "open.a", "pub": {"data": {"n": 1}, "offset": 1, "info": info}}} in told
    assert {"id": 3, "publish": {}} in told
    assert await client.ask({"id": 4, "unsubscribe": {"channel": "open.a"}}) == [{"id": 4, "unsubscribe": {}}]
    assert await client.ask(publish(2)) == [{"id": 3, "publish": {}}]
    assert client.session.channels == ()
    (again,) = await client.ask(subscribe())
    assert again["subscribe"]["offset"] == 2


async def test_who_leaves_before_the_answer_is_answered_and_has_left(client: Client) -> None:
    answers = await client.ask(subscribe(), {"id": 4, "unsubscribe": {"channel": "open.a"}}, publish(1))
    assert sorted(answer["id"] for answer in answers) == [2, 3, 4]
    channel: Any = client.behind.live_channels._channels["open.a"]
    assert (client.session.channels, channel.is_needed) == ((), False)


async def test_who_leaves_while_the_source_reads_leaves_once_more_after_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have subscribed them meanwhile."""
    go_on, artifact_id = asyncio.Event(), new_id()

    async def ask(query: Any) -> Any:
        await go_on.wait()
        raise NotFound("artifact", artifact_id)

    monkeypatch.setattr(client.behind, "ask", ask, raising=False)
    channel = f"artifact:{artifact_id}"
    await client.ask(subscribe(channel), {"id": 4, "unsubscribe": {"channel": channel}})
    assert len(client.behind.directory.named("leave_artifact")) == 1
    go_on.set()
    (answer,) = await client.ask({})
    assert (answer["id"], "error" in answer) == (2, True)
    assert len(client.behind.directory.named("leave_artifact")) == 2


async def test_one_subscription_a_channel_and_so_many_of_them(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHANNELS_PER_CONNECTION", 2)
    await client.ask(subscribe("open.a"), subscribe("open.b"))
    assert await client.code(subscribe("open.a")) == 105
    (refused,) = await client.ask(subscribe("open.c"))
    assert refused["error"] == {"code": 106, "message": "limit exceeded: 2 channels"}
    await client.ask({"id": 4, "unsubscribe": {"channel": "open.a"}})
    assert "subscribe" in (await client.ask(subscribe("open.c")))[0]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"channel": "closed.a"}, 102), ({"channel": ""}, 107), ({"channel": 5}, 107), ({}, 107),
        ({"channel": "open.\n"}, 102), ({"channel": "thread:no-id"}, 102), ({"channel": "artifact:no-id"}, 102),
        ({"channel": "user:another"}, 103), ({"channel": "open.a", "flag": "1"}, 107),
        ({"channel": "open.a", "flag": True}, 107), ({"channel": "open.a", "type": 1}, 108),
        ({"channel": "open.a", "recover": True, "offset": -1}, 107), ({"channel": "open.a", "token": "none"}, 103),
    ],
)  # fmt: skip
async def test_what_cannot_be_joined(client: Client, body: dict[str, Any], code: int) -> None:
    assert await client.code({"subscribe": body}) == code
    assert not client.session.is_subscribed("open.a")


@pytest.mark.parametrize("token", [5, "", None])
async def test_what_is_no_token_is_none(client: Client, token: Any) -> None:
    assert "subscribe" in (await client.ask(subscribe(token=token)))[0]


async def test_a_channel_s_name_is_bounded(client: Client) -> None:
    longest = "open." + "x" * (limits.CHANNEL_CHARS - len("open."))
    assert "subscribe" in (await client.ask(subscribe(longest)))[0]
    assert await client.code(subscribe(longest + "x")) == 107


@pytest.mark.parametrize(("scopes", "codes_of"), [({"read"}, [None, 103]), ({"write"}, [103, None])])
async def test_an_api_key_needs_the_scope(
    stage: Stage, behind: Behind, scopes: set[Any], codes_of: list[int | None]
) -> None:
    behind.tokens["ana"] = replace(ANA, scopes=frozenset(scopes))
    client = await Client(stage, behind).connect()
    answers = [(await client.ask(command))[-1] for command in (subscribe(), publish(1))]
    assert [answer.get("error", {}).get("code") for answer in answers] == codes_of


async def test_too_many_channels_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIVE_CHANNELS", 1)
    await client.ask(subscribe("open.a"))
    (refused,) = await client.ask(subscribe("open.b"))
    assert refused["error"] == {"code": 106, "message": "limit exceeded: too many live channels are in use"}
    assert not client.session.is_subscribed("open.b")
    assert client.session.channels == ("open.a",)


async def test_who_watches_hears_who_comes_and_goes(client: Client, stage: Stage) -> None:
    client.behind.tokens["bo"] = identity(2)
    other = await Client(stage, client.behind).connect("bo")
    await client.ask(subscribe(join_leave=True))
    before = len(client.wire.chunks)
    await other.ask(subscribe(join_leave=1))
    await other.ask({"id": 4, "unsubscribe": {"channel": "open.a"}})
    heard = b"".join(client.wire.chunks[before:])
    assert [heard.count(b'"join"'), heard.count(b'"leave"')] == [1, 1]
    assert b'"join"' not in b"".join(other.wire.chunks)


@pytest.mark.parametrize(("channel", "code"), [("closed.a", 102), (5, 107), ("user:another", 103), ("open.a", None)])
async def test_leaving_what_was_not_joined(client: Client, channel: Any, code: int | None) -> None:
    (answer,) = await client.ask({"id": 4, "unsubscribe": {"channel": channel}})
    assert answer.get("error", {}).get("code") == code


# What was missed


async def test_who_comes_back_gets_what_was_missed(client: Client) -> None:
    for n in range(1, 4):
        await client.ask(publish(n))
    (joined,) = await client.ask(subscribe(recover=True, epoch=await epoch(client), offset=1))
    result = joined["subscribe"]
    assert (result["was_recovering"], result["recovered"], result["offset"]) == (True, True, 3)
    assert [item["data"] for item in result["publications"]] == [2, 3]
    assert client.behind.measures.calls == [("recovered", True)]


@pytest.mark.parametrize(("flag", "is_refused"), [(0, False), (1, False), (2, True), (3, True)])
async def test_what_cannot_be_recovered_is_refused_where_that_is_asked_for(
    client: Client, flag: int, is_refused: bool
) -> None:
    await client.ask(publish(1))
    (answer,) = await client.ask(subscribe(recover=True, epoch="another", offset=0, flag=flag))
    assert client.behind.measures.calls == [("recovered", False)]
    if is_refused:
        assert answer["error"] == {"code": 112, "message": "unrecoverable position"}
        assert not client.session.is_subscribed("open.a")
    else:
        assert answer["subscribe"]["was_recovering"] is True
        assert "recovered" not in answer["subscribe"]


@pytest.mark.parametrize(("most", "is_recovered"), [(4, True), (3, False)])
async def test_what_was_missed_has_to_fit_into_one_reply(
    client: Client, monkeypatch: pytest.MonkeyPatch, most: int, is_recovered: bool
) -> None:
    monkeypatch.setattr(limits, "RECOVERY_BYTES", most)
    await client.ask(publish(12), publish(34))
    (answer,) = await client.ask(subscribe(recover=True, epoch=await epoch(client), offset=0))
    assert answer["subscribe"].get("recovered", False) is is_recovered


# Looking


async def test_who_is_there(client: Client, stage: Stage) -> None:
    looks = [{"id": 5, "presence": {"channel": "open.a"}}, {"id": 6, "presence_stats": {"channel": "open.a"}}]
    assert [answer for look in looks for answer in await client.ask(look)] == [
        {"id": 5, "presence": {"presence": {}}}, {"id": 6, "presence_stats": {"num_clients": 0, "num_users": 0}},
    ]  # fmt: skip
    assert client.behind.live_channels.find("open.a") is None, "looking makes no channel"
    other = await Client(stage, client.behind).connect()
    for each in (client, other):
        await each.ask(subscribe())
    presence, stats = [answer for look in looks for answer in await client.ask(look)]
    assert presence["presence"]["presence"].keys() == {client.session.client_id, other.session.client_id}
    assert stats["presence_stats"] == {"num_clients": 2, "num_users": 1}


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ({}, []), ({"limit": 2}, [1, 2]), ({"limit": 1, "reverse": True}, [4]), ({"limit": -1}, [1, 2]),
        ({"limit": 9}, [1, 2]), ({"limit": 9, "since": {"offset": 2}}, [3, 4]),
        ({"limit": 9, "since": {"offset": 3}, "reverse": True}, [2, 1]),
    ],
)  # fmt: skip
async def test_pages_of_its_history(
    client: Client, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any], data: list[int]
) -> None:
    monkeypatch.setattr(limits, "HISTORY_EVENTS", 2)
    for n in range(1, 5):
        await client.ask(publish(n))
    (answer,) = await client.ask({"id": 7, "history": {"channel": "open.a", **body}})
    assert ([item["data"] for item in answer["history"]["publications"]], answer["history"]["offset"]) == (data, 4)


@pytest.mark.parametrize("body", [{"limit": "1"}, {"limit": True}, {"since": {"offset": "1"}}])
async def test_what_is_no_page(client: Client, body: dict[str, Any]) -> None:
    assert await client.code({"history": {"channel": "open.a", **body}}) == 107


async def test_a_page_of_another_epoch_cannot_be_read(client: Client) -> None:
    await client.ask(publish(1))
    since = {"offset": 0, "epoch": "another"}
    assert await client.code({"history": {"channel": "open.a", "limit": 1, "since": since}}) == 112


async def test_an_unused_channel_has_no_history(client: Client) -> None:
    assert await client.ask({"id": 7, "history": {"channel": "open.a", "limit": 5}}) == [
        {"id": 7, "history": {"publications": [], "epoch": "", "offset": 0}}
    ]


async def test_what_is_published_draws_from_the_user_s_rate(client: Client) -> None:
    drawn: list[str] = []

    class Limiter:
        def take(self, kind: str, who: object) -> None:
            drawn.append(kind)

    client.behind.limiter = Limiter()
    await client.ask(publish(1))
    await client.ask({"id": 5, "presence": {"channel": "open.a"}}, {"id": 6, "presence_stats": {"channel": "open.a"}})
    await client.ask({"id": 7, "history": {"channel": "open.a"}})
    assert drawn == ["write", "read", "read", "read"]


async def test_publications_of_maps_are_not_served(client: Client) -> None:
    assert await client.code({"publish": {"channel": "open.a", "data": 1, "key": "k"}}) == 108


# Tokens


CLOSED = "closed.a"


@pytest.fixture
def clock(client: Client, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Of the timers of subscriptions, and of what tokens are judged by."""
    made = Clock()
    made.now = float(NOW)
    only_there = SimpleNamespace(get_running_loop=lambda: made)
    monkeypatch.setattr("server.realtime.session.channels.asyncio", only_there)
    monkeypatch.setattr(client.behind, "clock", made.time)
    tokens = client.behind.channel_tokens
    tokens["short"] = ChannelClaims(ANA.user.subject, CLOSED, NOW + 60)
    tokens["long"] = ChannelClaims(ANA.user.subject, CLOSED, NOW + 100)
    tokens["for ever"] = ChannelClaims(ANA.user.subject, CLOSED, None)
    tokens["another channel's"] = ChannelClaims(ANA.user.subject, "closed.b", NOW + 60)
    tokens["another user's"] = ChannelClaims("sub-2", CLOSED, NOW + 60)
    return made


def sub_refresh(token: Any, channel: Any = CLOSED) -> dict[str, Any]:
    return {"id": 5, "sub_refresh": {"channel": channel, "token": token}}


ENDED = {"push": {"channel": CLOSED, "unsubscribe": {"code": 2501, "reason": "expired"}}}


async def test_a_subscription_ends_with_its_token(client: Client, clock: Clock) -> None:
    (joined,) = await client.ask(subscribe(CLOSED, token="short"))
    assert (joined["subscribe"]["expires"], joined["subscribe"]["ttl"]) == (True, 60 - limits.TOKEN_LEEWAY_SECONDS)
    clock.advance(59.0)
    assert await client.ask({}) == []
    clock.advance(1.0)
    assert await client.ask({}) == [ENDED]
    assert (clock.pending, client.session.channels) == ([], ())
    assert await client.code(subscribe(CLOSED, token="expired")) == 109


@pytest.mark.parametrize("token", ["another channel's", "another user's", "unknown"])
async def test_a_token_opens_one_channel_to_one_user(client: Client, clock: Clock, token: str) -> None:
    assert await client.code(subscribe(CLOSED, token=token)) == 103


async def test_a_new_token_lets_it_last(client: Client, clock: Clock) -> None:
    await client.ask(subscribe(CLOSED, token="short"))
    assert await client.ask(sub_refresh("long")) == [
        {"id": 5, "sub_refresh": {"expires": True, "ttl": 100 - limits.TOKEN_LEEWAY_SECONDS}}
    ]
    assert len(clock.pending) == 1
    clock.advance(99.0)
    assert await client.ask({}) == []
    assert await client.ask(sub_refresh("for ever")) == [{"id": 5, "sub_refresh": {}}]
    assert clock.pending == []
    clock.advance(1.0)
    assert client.session.is_subscribed(CLOSED)


async def test_a_token_that_lasts_longer_than_a_timer_is_looked_at_again(client: Client, clock: Clock) -> None:
    far = int(limits.TIMER_SECONDS) + 1
    client.behind.channel_tokens["far"] = ChannelClaims(ANA.user.subject, CLOSED, NOW + far)
    await client.ask(subscribe(CLOSED, token="far"))
    clock.advance(limits.TIMER_SECONDS)
    assert client.session.is_subscribed(CLOSED)
    clock.advance(1.0)
    assert not client.session.is_subscribed(CLOSED)


@pytest.mark.parametrize(
    "command",
    [sub_refresh("long", "closed.b"), sub_refresh("long", 5), sub_refresh(""), sub_refresh(5), sub_refresh(None)],
)
async def test_what_cannot_be_refreshed(client: Client, clock: Clock, command: dict[str, Any]) -> None:
    await client.ask(subscribe(CLOSED, token="short"))
    assert await client.code(command) == 107
    assert len(clock.pending) == 1


async def test_a_refresh_of_a_shared_poll_is_not_served(client: Client, clock: Clock) -> None:
    await client.ask(subscribe(CLOSED, token="short"))
    command = {"sub_refresh": {"channel": CLOSED, "token": "long", "track": [1]}}
    assert await client.code(command) == codes.NOT_AVAILABLE[0]


async def test_a_new_token_before_the_answer_keeps_nothing_back(client: Client, clock: Clock) -> None:
    answers = await client.ask(subscribe(CLOSED, token="short"), sub_refresh("long"))
    assert sorted(answer["id"] for answer in answers) == [2, 5]
    told = await client.ask(publish(1, CLOSED))
    assert [answer["push"]["channel"] for answer in told if "push" in answer] == [CLOSED]


@pytest.mark.parametrize("token", ["long", "for ever"])
async def test_a_new_token_before_the_answer_lets_it_last(client: Client, clock: Clock, token: str) -> None:
    await client.ask(subscribe(CLOSED, token="short"), sub_refresh(token))
    clock.advance(60.0)
    assert client.session.is_subscribed(CLOSED)
    clock.advance(40.0)
    assert client.session.is_subscribed(CLOSED) == (token == "for ever")


async def test_a_subscription_that_is_answered_after_the_end_has_no_timer(client: Client, clock: Clock) -> None:
    client.send(subscribe(CLOSED, token="short"))
    client.session.end()
    await settle(30)
    assert clock.pending == []


@pytest.mark.parametrize("how", ["unsubscribe", "end", "access"])
async def test_no_timer_outlives_a_subscription(client: Client, clock: Clock, how: str) -> None:
    await client.ask(subscribe(CLOSED, token="short"))
    if how == "unsubscribe":
        await client.ask({"id": 4, "unsubscribe": {"channel": CLOSED}})
    elif how == "end":
        client.session.end()
    else:
        client.session._access_ended(CLOSED)
    assert clock.pending == []


async def test_subscribed_by_a_token_one_may_publish_without(client: Client, clock: Clock) -> None:
    assert await client.code(publish(1, CLOSED)) == 102
    await client.ask(subscribe(CLOSED, token="short"))
    assert {"id": 3, "publish": {}} in await client.ask(publish(1, CLOSED))


# The user's own


async def test_only_the_server_publishes_to_a_user_s_own_channel(client: Client) -> None:
    assert await client.code(publish(1, f"user:{ANA.user.id}")) == 103
