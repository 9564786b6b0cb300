"""One's own channel: it comes with connect, tells what happens to one, and recovers like every other."""

from typing import Any

import pytest

from actors import limits
from tests.realtime_client import RawClient
from tests.server.realtime.conftest import Dial
from tests.serving import Client, Server


@pytest.fixture(autouse=True)
def _all_is_of_interest(dial: Dial) -> None:
    dial.ignores_own = False


async def mine(client: Client) -> str:
    return f"user:{(await client.me())['id']}"


async def connected(dial: Dial, who: Client, **more: Any) -> tuple[RawClient, dict[str, Any]]:
    """A client, and what connect told of its own channel."""
    client = await dial()
    answer = (await client.ask("connect", token=who.token, **more))["connect"]
    return client, answer["subs"][await mine(who)]


async def add(owner: Client, who: Client) -> Any:
    """To a new thread."""
    return await owner.thread(members=[{"user_id": (await who.me())["id"], "role": "MEMBER"}])


async def test_it_comes_with_connect(dial: Dial, bob: Client) -> None:
    client, sub = await connected(dial, bob)
    assert sub == {"recoverable": True, "positioned": True, "epoch": sub["epoch"], "offset": 0}
    assert client.inbox == []


async def test_being_added_to_a_thread(dial: Dial, alice: Client, bob: Client) -> None:
    client, _ = await connected(dial, bob)
    thread = await add(alice, bob)
    joined, created = await client.publications(2)
    assert (joined["offset"], created["offset"]) == (1, 2)
    assert joined["data"]["type"] == "thread.joined"
    assert joined["data"]["data"] == {"thread_id": thread["id"], "role": "MEMBER"}
    notification = created["data"]["data"]
    assert created["data"]["type"] == "notification.created"
    assert (notification["kind"], notification["thread_id"], notification["message_id"]) == (
        "added", thread["id"], None,
    )  # fmt: skip
    assert notification["actor"]["name"] == "Alice"
    assert (await bob.get(f"/api/v1/notifications/{notification['id']}")).data == notification


async def test_all_devices_are_told_and_nobody_else(dial: Dial, alice: Client, bob: Client) -> None:
    first, _ = await connected(dial, bob)
    second, _ = await connected(dial, bob)
    other, _ = await connected(dial, alice)
    await add(alice, bob)
    assert await first.publications(2) == await second.publications(2)
    assert (await other.ask("ping"))["ping"] == {}
    assert other.inbox == []


async def test_a_client_that_was_here_before_gets_what_it_missed(dial: Dial, alice: Client, bob: Client) -> None:
    gone, sub = await connected(dial, bob)
    await gone.socket.close()
    await add(alice, bob)
    channel = await mine(bob)
    position = {"recover": True, "epoch": sub["epoch"], "offset": sub["offset"]}
    client, again = await connected(dial, bob, subs={channel: position})
    assert (again["recovered"], again["was_recovering"], again["offset"]) == (True, True, 2)
    assert [p["data"]["type"] for p in again["publications"]] == ["thread.joined", "notification.created"]
    await add(alice, bob)
    assert [p["offset"] for p in await client.publications(2)] == [3, 4]


async def test_another_epoch_is_not_recovered(dial: Dial, alice: Client, bob: Client) -> None:
    await add(alice, bob)
    channel = await mine(bob)
    client, sub = await connected(dial, bob, subs={channel: {"recover": True, "epoch": "other", "offset": 0}})
    assert "recovered" not in sub
    assert (sub["was_recovering"], sub["offset"]) == (True, 2)
    await add(alice, bob)
    assert [p["offset"] for p in await client.publications(2)] == [3, 4]


async def test_where_it_stands_is_known_without_having_been_here(dial: Dial, alice: Client, bob: Client) -> None:
    await bob.me()  # whom the token speaks for is known from here on
    await add(alice, bob)
    _, sub = await connected(dial, bob)
    assert sub["offset"] == 2


async def test_it_can_be_subscribed_to_as_well(dial: Dial, alice: Client, bob: Client) -> None:
    await add(alice, bob)
    client, _ = await connected(dial, bob)
    channel = await mine(bob)
    sub = (await client.ask("subscribe", channel=channel, recover=True, offset=1))["subscribe"]
    assert [p["offset"] for p in sub["publications"]] == [2]
    await add(alice, bob)
    assert [p["offset"] for p in await client.publications(2)] == [3, 4]
    page = (await client.ask("history", channel=channel, limit=2, since={"offset": 1, "epoch": sub["epoch"]}))[
        "history"
    ]
    assert [p["offset"] for p in page["publications"]] == [2, 3]
    present = (await client.ask("presence", channel=channel))["presence"]["presence"]
    assert [info["user"] for info in present.values()] == [channel.removeprefix("user:")]
    await client.ask("unsubscribe", channel=channel)
    assert (await client.ask("presence", channel=channel))["presence"]["presence"] == {}
    await add(alice, bob)
    await client.ask("ping")
    assert client.inbox == []


async def test_it_is_for_nobody_else(dial: Dial, bob: Client, root: Client) -> None:
    channel = await mine(bob)
    client, _ = await connected(dial, root)
    for verb, more in (("subscribe", {}), ("history", {"limit": 1}), ("presence", {}), ("publish", {"data": {}})):
        assert (await client.error(verb, channel=channel, **more))[0] == 103
    own = await mine(root)
    assert (await client.error("publish", channel=own, data={}))[0] == 103


async def test_it_costs_nobody_an_actor_who_is_told_nothing(server: Server, dial: Dial, bob: Client) -> None:
    from actors.users.actor import UserActor

    await connected(dial, bob)
    assert len(server.services.users) == 1
    assert server.services.auth is not None
    assert not any(online.actor for online in server.services.users._online.values())
    assert UserActor is not None


async def test_who_has_gone_is_forgotten(server: Server, dial: Dial, alice: Client, bob: Client) -> None:
    from tests.builders import until

    client, _ = await connected(dial, bob)
    await add(alice, bob)
    await client.publications(2)
    await client.socket.close()
    await until(lambda: len(server.services.users) == 0)


async def test_more_than_can_be_recovered(dial: Dial, bob: Client) -> None:
    for n in range(limits.RECOVERY_EVENTS + 1):
        await bob.patch("/api/v1/users/me", name=f"Bob {n}")
    channel = await mine(bob)
    _, sub = await connected(dial, bob, subs={channel: {"recover": True, "epoch": "", "offset": 0}})
    assert "recovered" not in sub
    _, sub = await connected(dial, bob, subs={channel: {"recover": True, "epoch": "", "offset": 1}})
    assert len(sub["publications"]) == limits.RECOVERY_EVENTS
