"""An application's own channels: open by a pattern or a token, with presence, history and recovery, from memory."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from actors import limits
from tests.realtime_client import RawClient, raw_client
from tests.server.realtime.conftest import Dial
from tests.serving import Client, Server, serving
from tests.tickets import ticket

pytestmark = pytest.mark.usefixtures("few_and_crowd")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", LIVE_CHANNELS="cursor:*, lobby") as running:
        yield running


async def join(client: RawClient, channel: str, **more: Any) -> Any:
    return (await client.ask("subscribe", channel=channel, **more))["subscribe"]


async def test_what_is_published_reaches_everybody(server: Server, dial: Dial, alice: Client, bob: Client) -> None:
    before = server.services.directory.journal.batches
    hers, his = await dial(alice), await dial(bob)
    before = server.services.directory.journal.batches
    joined = await join(hers, "cursor:a")
    assert (joined["offset"], joined["recoverable"], joined["positioned"]) == (0, True, True)
    assert joined["epoch"] != server.services.epoch
    await join(his, "cursor:a")
    for number, data in enumerate(({"x": 1}, [1, 2], "text", None, 5), 1):
        assert (await his.ask("publish", channel="cursor:a", data=data))["publish"] == {}
        pub = (await hers.push())["pub"]
        assert (pub["offset"], pub["data"]) == (number, data)
        assert pub["info"]["user"] == (await bob.me())["id"]
        assert (await his.push())["pub"]["offset"] == number, "whoever publishes hears it, too"
    assert server.services.directory.journal.batches == before, "it costs the database nothing"


async def test_recovery_and_history(dial: Dial, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIVE_HISTORY", 10)
    client = await dial(alice)
    epoch = (await join(client, "lobby"))["epoch"]
    for number in range(1, 8):
        await client.ask("publish", channel="lobby", data=number)
    again = await dial(alice)
    recovered = await join(again, "lobby", recover=True, epoch=epoch, offset=4)
    assert (recovered["recovered"], [p["data"] for p in recovered["publications"]]) == (True, [5, 6, 7])
    other = await dial(alice)
    lost = await join(other, "lobby", recover=True, epoch="another", offset=4)
    assert (lost["was_recovering"], lost.get("recovered", False)) == (True, False)
    history = (await client.ask("history", channel="lobby", limit=3))["history"]
    assert ([p["data"] for p in history["publications"]], history["offset"]) == ([1, 2, 3], 7)
    newest = (await client.ask("history", channel="lobby", limit=2, reverse=True))["history"]
    assert [p["data"] for p in newest["publications"]] == [7, 6]
    after = (await client.ask("history", channel="lobby", limit=9, since={"epoch": epoch, "offset": 5}))["history"]
    assert [p["data"] for p in after["publications"]] == [6, 7]
    assert (await client.error("history", channel="lobby", since={"epoch": "x", "offset": 1}))[0] == 112


async def test_what_is_forgotten_is_not_recovered(dial: Dial, alice: Client) -> None:
    client = await dial(alice)
    epoch = (await join(client, "lobby"))["epoch"]
    for number in range(limits.LIVE_HISTORY + 5):
        await client.ask("publish", channel="lobby", data=number)
    again = await dial(alice)
    assert not (await join(again, "lobby", recover=True, epoch=epoch, offset=3)).get("recovered", False)
    strict = await dial(alice)
    assert (await strict.error("subscribe", channel="lobby", recover=True, epoch=epoch, offset=3, flag=2))[0] == 112


async def test_presence_and_joining(dial: Dial, alice: Client, bob: Client) -> None:
    hers, his = await dial(alice), await dial(bob)
    await join(hers, "lobby", join_leave=True)
    await join(his, "lobby")
    info = (await hers.push())["join"]["info"]
    if info["conn_info"]["name"] == "Alice":
        info = (await hers.push())["join"]["info"]
    assert info["conn_info"]["name"] == "Bob"
    assert (await hers.ask("presence_stats", channel="lobby"))["presence_stats"] == {"num_clients": 2, "num_users": 2}
    await his.ask("unsubscribe", channel="lobby")
    assert (await hers.push())["leave"]["info"] == info


async def test_names_that_are_not_open(dial: Dial, alice: Client) -> None:
    client = await dial(alice)
    for channel in ("secret:1", "cursor", "Lobby", "artifact:x", "thread:x", "lobby\n"):
        for verb, more in (("subscribe", {}), ("publish", {"data": 1}), ("history", {}), ("presence", {})):
            assert (await client.error(verb, channel=channel, **more))[0] == 102, (verb, channel)


async def test_a_token_opens_a_name(dial: Dial, alice: Client, bob: Client) -> None:
    hers, his = await dial(alice), await dial(bob)
    joined = await join(hers, "secret:1", token=ticket(alice, "secret:1"))
    assert joined["expires"] is True
    assert 50 < joined["ttl"] <= 60, "the leeway is for its new token to arrive"
    assert (await hers.ask("publish", channel="secret:1", data=1))["publish"] == {}, "who is in may speak"
    assert "expires" not in await join(his, "secret:1", token=ticket(bob, "secret:1", None))
    wrong = (
        ticket(alice, "secret:2"), ticket(bob, "secret:2"), "nonsense", alice.token,
        jwt.encode({"sub": "sub-alice", "channel": "secret:2"}, b"x" * 40, algorithm="HS256"),
    )  # fmt: skip
    for number, token in enumerate(wrong[1:]):
        assert (await hers.error("subscribe", channel="secret:2", token=token))[0] == 103, number
    assert (await hers.error("subscribe", channel="secret:2", token=ticket(alice, "secret:2", -100)))[0] == 109


async def test_a_token_for_a_channel_is_good_for_nothing_else(server: Server, alice: Client) -> None:
    token = ticket(alice, "secret:1", domain="rpotential.ai", email="alice@rpotential.ai")
    async with server.session.get(f"{server.url}/api/v1/users/me", headers={"Authorization": f"Bearer {token}"}) as got:
        assert got.status == 401


async def test_a_subscription_ends_with_its_token(dial: Dial, alice: Client) -> None:
    hers, other = await dial(alice), await dial(alice)
    expired = ticket(alice, "secret:1", -limits.TOKEN_LEEWAY_SECONDS + 1)
    await join(hers, "secret:1", token=expired)
    await join(other, "secret:1", token=expired)
    refreshed = (await other.ask("sub_refresh", channel="secret:1", token=ticket(alice, "secret:1")))["sub_refresh"]
    assert refreshed["expires"]
    assert (await hers.push())["unsubscribe"]["code"] == 2501
    await other.ask("publish", channel="secret:1", data="still here")
    assert (await other.push())["pub"]["data"] == "still here"
    await hers.ask("ping")
    assert not [message for message in hers.inbox if "push" in message]
    assert (await hers.error("sub_refresh", channel="secret:1", token="x"))[0] == 107


async def test_a_read_only_key_listens_and_says_nothing(server: Server, dial: Dial, alice: Client) -> None:
    key = (await alice.post("/api/v1/auth/api-keys", name="k", scopes=["read"])).data["key"]
    client = await dial()
    await client.connect(key)
    await join(client, "lobby")
    assert (await client.error("publish", channel="lobby", data=1))[0] == 103


async def test_channels_that_nobody_needs_are_forgotten(
    server: Server, dial: Dial, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.server.realtime.waiting import until

    monkeypatch.setattr(limits, "LIVE_SECONDS", 0.05)
    client = await dial(alice)
    await join(client, "lobby")
    await client.ask("publish", channel="lobby", data=1)
    assert len(server.services.live_channels) == 1
    await client.ask("unsubscribe", channel="lobby")
    await until(lambda: len(server.services.live_channels) == 0)


async def test_a_name_may_have_signs_that_json_escapes(tmp_path: Path) -> None:
    async with serving(tmp_path / "any", LIVE_CHANNELS="*") as server:
        alice = server.client("alice")
        async with raw_client(server.session, server.websocket_url, alice.token) as client:
            for channel in ('a "b"', "a\\b", "ä"):
                await join(client, channel)
                await client.ask("publish", channel=channel, data=1)
                assert (await client.push())["channel"] == channel


async def test_a_token_says_the_sub_by_which_its_user_signs_in(server: Server, dial: Dial, root: Client) -> None:
    """Which is not the user's first one where another issuer knew them before."""
    address = "zoe@rpotential.ai"
    before = root.saying(sub="of-the-old-issuer", iss="https://old", email=address, name="Zoe")
    zoe = server.client("zoe").saying(sub="sub-zoe", iss="https://new", email=address)
    assert (await before.me())["id"] == (await zoe.me())["id"]
    client = await dial(zoe)
    await join(client, "secret:1", token=ticket(zoe, "secret:1"))
    assert (await client.error("subscribe", channel="secret:2", token=ticket(root, "secret:2")))[0] == 103
