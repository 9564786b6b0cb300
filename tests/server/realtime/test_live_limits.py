"""Live channels are bounded in number and in bytes, in all and for each user, and gone when nobody needs them."""

import asyncio
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from actors.delivery.live_channel import LiveChannelActor
from tests.server.realtime.conftest import Dial
from tests.server.realtime.waiting import forget_old_objects, freed, nothing_is_left, until
from tests.serving import Client, Server, serving
from tests.tickets import ticket


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", LIVE_CHANNELS="cursor:*, lobby") as running:
        yield running


def actors(server: Server) -> int:
    return server.services.directory._stage.count(LiveChannelActor)


def timers() -> int:
    """Of the event loop of this test: what is scheduled for later."""
    return sum(not timer.cancelled() for timer in asyncio.get_running_loop()._scheduled)  # type: ignore[attr-defined]


OTHERS = 10
"""Timers of the server that come and go meanwhile; fifty requests that left one each would leave fifty."""
ASKING: list[tuple[str, dict[str, Any]]] = [
    ("presence", {}),
    ("presence_stats", {}),
    ("history", {}),
    ("history", {"limit": 10, "reverse": True}),
    ("history", {"since": {"epoch": "", "offset": 0}}),
    ("unsubscribe", {}),
]


@pytest.mark.parametrize(("verb", "more"), ASKING)
async def test_asking_makes_no_channel(
    server: Server, dial: Dial, alice: Client, verb: str, more: dict[str, Any]
) -> None:
    client = await dial(alice)
    before = timers()
    for number in range(50):
        assert "error" not in await client.ask(verb, channel=f"cursor:{number}", **more)
    assert (actors(server), len(server.services.live_channels)) == (0, 0)
    await until(lambda: timers() < before + OTHERS)


async def test_what_nobody_uses_is_empty(dial: Dial, alice: Client) -> None:
    client = await dial(alice)
    assert (await client.ask("presence", channel="lobby"))["presence"] == {"presence": {}}
    assert (await client.ask("presence_stats", channel="lobby"))["presence_stats"] == {"num_clients": 0, "num_users": 0}
    assert (await client.ask("history", channel="lobby", limit=5))["history"] == {
        "publications": [], "epoch": "", "offset": 0,
    }  # fmt: skip
    await client.ask("publish", channel="lobby", data=1)
    joined = (await client.ask("subscribe", channel="lobby", recover=True, epoch="", offset=0))["subscribe"]
    assert (joined["recovered"], [item["data"] for item in joined["publications"]]) == (True, [1])


async def test_publications_that_nobody_hears_have_no_timers(server: Server, dial: Dial, alice: Client) -> None:
    client = await dial(alice)
    await client.ask("publish", channel="lobby", data=0)
    before = timers()
    for number in range(100):
        await client.ask("publish", channel="lobby", data=number)
    await until(lambda: timers() < before + OTHERS)


@pytest.mark.parametrize("verbs", [["publish"], ["subscribe"], ["subscribe", "publish"], ["publish", "subscribe"]])
async def test_gone_when_idle(
    server: Server, dial: Dial, alice: Client, monkeypatch: pytest.MonkeyPatch, verbs: list[str]
) -> None:
    """Whichever verb made it, and however its last subscriber went."""
    monkeypatch.setattr(limits, "LIVE_SECONDS", 0.1)
    leaving, cut = await dial(alice), await dial(alice)
    for client, channel in ((leaving, "cursor:left"), (cut, "cursor:cut")):
        for verb in verbs:
            await client.ask(verb, channel=channel, data=1)
    if "subscribe" in verbs:
        assert actors(server) == 2, "as long as somebody listens"
    await leaving.ask("unsubscribe", channel="cursor:left")
    cut.cut()
    channels = server.services.live_channels
    await until(lambda: actors(server) == 0)
    assert (len(channels), channels.memory.size, len(channels.memory)) == (0, 0, 0)
    assert (len(channels._idle), len(channels._idle_of), len(channels._made)) == (0, 0, 0)
    assert channels._timer is None


async def test_what_is_old_is_forgotten_though_somebody_listens(
    server: Server, dial: Dial, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_SECONDS", 0.05)
    client = await dial(alice)
    await client.ask("subscribe", channel="lobby")
    await client.ask("publish", channel="lobby", data="x")
    await until(lambda: server.services.live_channels.memory.size == 0)
    assert (await client.ask("history", channel="lobby", limit=5))["history"]["offset"] == 1
    assert actors(server) == 1


async def test_many_go_in_several_steps(
    server: Server, dial: Dial, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_SECONDS", 0.3)
    monkeypatch.setattr(limits, "LIVE_SWEPT_AT_ONCE", 3)
    monkeypatch.setattr(limits, "LIVE_SWEEP_PAUSE_SECONDS", 0.01)
    client = await dial(alice)
    for number in range(20):
        await client.ask("publish", channel=f"cursor:{number}", data=number)
    await until(lambda: actors(server) == 0)


async def test_one_users_channels(
    server: Server, dial: Dial, alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new one takes the place of the longest idle; where somebody listens to all of them it is refused. Others have
    their own."""
    monkeypatch.setattr(limits, "LIVE_CHANNELS_PER_USER", 3)
    hers, his = await dial(alice), await dial(bob)
    for number in range(10):
        await hers.ask("publish", channel=f"cursor:{number}", data=number)
    assert actors(server) == 3
    kept = [(await hers.ask("history", channel=f"cursor:{n}", limit=1))["history"]["offset"] for n in range(10)]
    assert kept == [0] * 7 + [1] * 3
    for number in range(3):
        assert "error" not in await hers.ask("subscribe", channel=f"cursor:held {number}")
    assert actors(server) == 3
    for verb, more in (("subscribe", {}), ("publish", {"data": 1})):
        code, message = await hers.error(verb, channel="cursor:more", **more)
        assert (code, message) == (106, "limit exceeded: too many live channels are in use")
    assert "error" not in await his.ask("publish", channel="cursor:more", data=1)
    assert "error" not in await hers.ask("publish", channel="cursor:more", data=1), "it is there now"
    await hers.ask("unsubscribe", channel="cursor:held 0")
    assert "error" not in await hers.ask("subscribe", channel="cursor:another")


async def test_all_channels(
    server: Server, dial: Dial, alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_CHANNELS", 4)
    hers, his = await dial(alice), await dial(bob)
    for number in range(4):
        await hers.ask("subscribe", channel=f"cursor:{number}")
    assert (await his.error("publish", channel="cursor:his", data=1))[0] == 106
    await hers.ask("unsubscribe", channel="cursor:2")
    assert "error" not in await his.ask("publish", channel="cursor:his", data=1)
    assert actors(server) == 4


async def test_one_users_bytes(
    server: Server, dial: Dial, alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one user publishes pushes out what they have published before, wherever; what others did, stays."""
    monkeypatch.setattr(limits, "LIVE_USER_BYTES", 50_000)
    hers, his = await dial(alice), await dial(bob)
    await his.ask("publish", channel="cursor:his", data="his")
    for number in range(40):
        await hers.ask("publish", channel=f"cursor:{number % 5}", data="x" * 5_000)
    assert server.services.live_channels.memory.size <= 50_000 + 5_000
    assert (await his.ask("history", channel="cursor:his", limit=1))["history"]["publications"][0]["data"] == "his"
    page = (await hers.ask("history", channel="cursor:4", limit=100))["history"]
    offsets = [item["offset"] for item in page["publications"]]
    assert offsets == list(range(offsets[0], 9)), "what is left has no hole"
    fresh = (await hers.ask("subscribe", channel="cursor:4", recover=True, epoch="", offset=1))["subscribe"]
    assert not fresh.get("recovered", False), "it says that something is missing"


async def test_all_bytes(
    server: Server, dial: Dial, alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_BYTES", 30_000)
    hers, his = await dial(alice), await dial(bob)
    for number in range(10):
        for client in (hers, his):
            await client.ask("publish", channel=f"cursor:{number % 3}", data="x" * 3_000)
    memory = server.services.live_channels.memory
    assert memory.size <= 30_000
    assert memory.size == sum(kept.size for kept in memory._all.values())
    assert memory.size == sum(share.size for share in memory._shares.values())


async def test_a_subscription_has_one_timer(server: Server, dial: Dial, alice: Client) -> None:
    """However often its token is renewed, and none once it has been left or its session has gone."""

    client = await dial(alice)
    assert "error" not in await client.ask("subscribe", channel="secret:1", token=ticket(alice, "secret:1"))
    before = timers()
    for _ in range(50):
        answer = await client.ask("sub_refresh", channel="secret:1", token=ticket(alice, "secret:1"))
        assert answer["sub_refresh"]["ttl"]
    await until(lambda: timers() < before + OTHERS)
    (session,) = server.services.hub.clients
    ends = session._channels._ends  # type: ignore[attr-defined]
    assert list(ends) == ["secret:1"]
    timer = ends["secret:1"]
    await client.ask("sub_refresh", channel="secret:1", token=ticket(alice, "secret:1", None))
    assert timer.cancelled()
    assert ends == {}, "a token that does not end needs no timer"
    await client.ask("sub_refresh", channel="secret:1", token=ticket(alice, "secret:1"))
    await client.ask("unsubscribe", channel="secret:1")
    assert ends == {}


@pytest.mark.parametrize("how", ["closed", "cut", "while it subscribes"])
async def test_a_session_is_gone_with_its_socket(server: Server, dial: Dial, alice: Client, how: str) -> None:
    """Though its token is good for long."""

    held: list[weakref.ref[object]] = []
    forget_old_objects()
    for number in range(20):
        client = await dial(alice)
        held += [weakref.ref(each) for each in server.services.hub.clients]
        channel = f"secret:{number}"
        command = client.command("subscribe", channel=channel, token=ticket(alice, channel))
        await client.send(command)
        if how != "while it subscribes":
            await client.reply(command["id"])
        if how == "closed":
            await client.socket.close()
        else:
            client.cut()
    await until(lambda: server.services.hub.size == 0)
    await freed(held)
    del client


async def test_nothing_is_left_of_anybody(
    server: Server, dial: Dial, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_SECONDS", 0.05)
    client = await dial(alice)
    await client.ask("subscribe", channel="lobby")
    client.cut()
    await nothing_is_left(server)
