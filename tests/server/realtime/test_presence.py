"""Who is there and who types: told to those who are there, and never logged."""

import time
from typing import Any

import orjson
import pytest

from actors import limits
from actors.delivery.channel import Audience, Subscribe
from actors.identifiers import new_id
from actors.resources.users import GetUser
from server.realtime.hub import Hub
from tests.builders import identity
from tests.realtime_client import RawClient, event_stream
from tests.server.realtime.conftest import Dial
from tests.server.realtime.waiting import until
from tests.serving import Client, Server


@pytest.fixture(autouse=True)
def _quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PRESENCE_SECONDS", 0.03)
    monkeypatch.setattr(limits, "PRESENCE_LEAVE_SECONDS", 0.1)
    monkeypatch.setattr(limits, "TYPING_SECONDS", 0.2)


@pytest.fixture
async def room(alice: Client, bob: Client) -> Any:
    return await alice.thread(members=[{"user_id": (await bob.me())["id"]}])


async def told(client: RawClient, kind: str) -> Any:
    while True:
        push = await client.push()
        if "pub" in push and push["pub"]["data"]["type"] == kind:
            assert "offset" not in push["pub"]
            return push["pub"]["data"]["data"]


def names(people: Any) -> list[str]:
    return sorted(person["name"] for person in people)


async def test_coming_and_going(server: Server, dial: Dial, alice: Client, bob: Client, room: Any) -> None:
    hers = await dial(alice)
    await hers.subscribe(room["id"])
    his = await dial(bob)
    await his.subscribe(room["id"])
    joined = await told(hers, "presence")
    assert (joined["count"], names(joined["joined"]), joined["left"]) == (2, ["Alice", "Bob"], [])
    present = (await alice.get(f"/api/v1/threads/{room['id']}/presence")).data
    assert (present["count"], present["connections"], names(u["user"] for u in present["users"])) == (
        2, 2, ["Alice", "Bob"],
    )  # fmt: skip
    his.cut()
    left = await told(hers, "presence")
    assert (left["count"], left["joined"], names(left["left"])) == (1, [], ["Bob"])
    assert (await alice.get(f"/api/v1/threads/{room['id']}/presence")).data["count"] == 1


async def test_a_reconnect_is_no_blink(dial: Dial, alice: Client, bob: Client, room: Any) -> None:
    hers, his = await dial(alice), await dial(bob)
    await hers.subscribe(room["id"])
    await his.subscribe(room["id"])
    await told(hers, "presence")
    his.cut()
    again = await dial(bob)
    await again.subscribe(room["id"])
    typing = await bob.post(f"/api/v1/threads/{room['id']}/typing")
    assert typing.data == {"typing": True}
    kinds = []
    while "typing" not in kinds:
        kinds.append((await hers.push())["pub"]["data"]["type"])
    assert kinds == ["typing"]


async def test_a_stream_of_events_counts_and_is_told(
    server: Server, dial: Dial, alice: Client, bob: Client, room: Any
) -> None:
    his = await dial(bob)
    await his.subscribe(room["id"])
    url = f"{server.url}/api/v1/threads/{room['id']}/events"
    async with event_stream(server.session, url, alice.token) as stream:
        assert names((await told(his, "presence"))["joined"]) == ["Alice", "Bob"]
        event = await stream.next()
        assert (event["event"], "id" in event) == ("presence", False)
        await bob.post(f"/api/v1/threads/{room['id']}/typing")
        event = await stream.next()
        assert event["event"] == "typing"
        assert names(orjson.loads(event["data"])["data"]["users"]) == ["Bob"]


async def test_a_crowd_is_counted(dial: Dial, alice: Client, bob: Client, room: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "PRESENCE_USERS", 2)
    clients = [await dial(who) for who in (alice, alice, bob)]
    for client in clients:
        await client.subscribe(room["id"])
    counted = await told(clients[0], "presence")
    while counted["joined"]:
        counted = await told(clients[0], "presence")
    assert counted == {"count": 2, "joined": [], "left": []}
    present = (await alice.get(f"/api/v1/threads/{room['id']}/presence")).data
    assert present == {"count": 2, "connections": 3, "users": []}
    channel = f"thread:{room['id']}"
    assert (await clients[0].ask("presence", channel=channel))["presence"] == {"presence": {}}
    stats = (await clients[0].ask("presence_stats", channel=channel))["presence_stats"]
    assert stats == {"num_clients": 3, "num_users": 2}


async def test_a_new_name_is_seen_at_once(
    server: Server, dial: Dial, alice: Client, bob: Client, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By those who are there and by those who ask, on every kind of channel and of connection."""
    monkeypatch.setattr(server.services, "live_patterns", ("game:*",))
    content = {"sections": [{"type": "markdown", "text": "They rose."}]}
    made = await bob.post(f"/api/v1/threads/{room['id']}/artifacts", type="REPORT", title="Sales", content=content)
    channels = (f"thread:{room['id']}", f"artifact:{made.data['id']}", "game:1")
    hers, his = await dial(alice), await dial(bob)
    async with event_stream(server.session, f"{server.url}/api/v1/threads/{room['id']}/events", bob.token) as stream:
        await stream.begun()
        for channel in channels:
            await his.ask("subscribe", channel=channel)
        await hers.subscribe(room["id"])
        assert names((await told(hers, "presence"))["joined"]) == ["Alice", "Bob"]
        await bob.patch("/api/v1/users/me", name="Robert")
        renamed = await told(hers, "presence")
        assert (renamed["count"], names(renamed["joined"]), renamed["left"]) == (2, ["Robert"], [])
        for channel, count in zip(channels, (3, 1, 1), strict=True):
            present = (await his.ask("presence", channel=channel))["presence"]["presence"].values()
            shown = [each["conn_info"]["name"] for each in present if each["conn_info"]["name"] != "Alice"]
            assert (len(present), set(shown)) == (count, {"Robert"})


async def test_the_protocol_s_own_presence(dial: Dial, alice: Client, bob: Client, room: Any) -> None:
    channel = f"thread:{room['id']}"
    hers = await dial(alice)
    await hers.subscribe(room["id"], join_leave=True)
    his = await dial(bob)
    await his.subscribe(room["id"])
    me = (await bob.me())["id"]
    join = await hers.push()
    while "join" not in join or join["join"]["info"]["user"] != me:
        join = await hers.push()
    assert join["join"]["info"]["conn_info"] == {"name": "Bob", "kind": "HUMAN"}
    client_id = join["join"]["info"]["client"]
    presence = (await hers.ask("presence", channel=channel))["presence"]["presence"]
    assert presence[client_id] == {"client": client_id, "user": me, "conn_info": {"name": "Bob", "kind": "HUMAN"}}
    stats = (await hers.ask("presence_stats", channel=channel))["presence_stats"]
    assert stats == {"num_clients": 2, "num_users": 2}
    his.cut()
    leave = await hers.push()
    while "leave" not in leave:
        leave = await hers.push()
    assert leave["leave"]["info"]["client"] == client_id
    stranger = await dial(alice)
    assert (await stranger.error("presence", channel="thread:c" + "0" * 24))[0] == 102


async def test_typing(dial: Dial, alice: Client, bob: Client, room: Any) -> None:
    path = f"/api/v1/threads/{room['id']}/typing"
    hers = await dial(alice)
    await hers.subscribe(room["id"])
    await bob.post(path)
    assert names((await told(hers, "typing"))["users"]) == ["Bob"]
    await bob.post(path)
    await bob.post(path)
    await bob.post(path, typing=False)
    assert (await told(hers, "typing"))["users"] == [], "that they still type is no news"
    await alice.post(path)
    assert names((await told(hers, "typing"))["users"]) == ["Alice"]
    assert (await told(hers, "typing"))["users"] == [], "it ends by itself"


async def test_a_message_ends_typing(dial: Dial, alice: Client, bob: Client, room: Any) -> None:
    hers = await dial(alice)
    await hers.subscribe(room["id"])
    await bob.post(f"/api/v1/threads/{room['id']}/typing")
    assert (await told(hers, "typing"))["users"]
    await bob.say(room, "sent")
    assert (await told(hers, "typing"))["users"] == []


async def test_who_begins_again_at_once_is_told(
    dial: Dial, alice: Client, bob: Client, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a message without a pause; else when that is over, though it is told of only once."""
    monkeypatch.setattr(limits, "TYPING_SECONDS", 5.0)
    monkeypatch.setattr(limits, "TYPING_PAUSE_SECONDS", 0.2)
    path = f"/api/v1/threads/{room['id']}/typing"
    hers = await dial(alice)
    await hers.subscribe(room["id"])
    for _ in range(2):
        await bob.post(path)
        assert names((await told(hers, "typing"))["users"]) == ["Bob"]
        await bob.say(room, "sent")
        assert (await told(hers, "typing"))["users"] == []
    await bob.post(path)
    assert names((await told(hers, "typing"))["users"]) == ["Bob"]
    for is_typing in (False, True, False, True):
        await bob.post(path, typing=is_typing)
    assert (await told(hers, "typing"))["users"] == []
    assert names((await told(hers, "typing"))["users"]) == ["Bob"]


async def test_who_may_not_write_any_more_does_not_type(
    dial: Dial, alice: Client, bob: Client, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TYPING_SECONDS", 60.0)
    monkeypatch.setattr(limits, "TYPING_PAUSE_SECONDS", 0.0)
    path, member = f"/api/v1/threads/{room['id']}", f"/api/v1/threads/{room['id']}/members/{(await bob.me())['id']}"
    hers = await dial(alice)
    await hers.subscribe(room["id"])
    for end, again in (
        (alice.patch(member, role="VIEWER"), alice.patch(member, role="MEMBER")),
        (alice.patch(path, status="CLOSED"), alice.patch(path, status="ACTIVE")),
        (alice.delete(member), bob.me()),
    ):
        assert (await bob.post(f"{path}/typing")).status == 200
        assert names((await told(hers, "typing"))["users"]) == ["Bob"]
        await end
        assert (await told(hers, "typing"))["users"] == []
        await again


# Who joins


@pytest.fixture
def _long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TYPING_SECONDS", 60.0)


def users(presence: Any) -> list[tuple[str, str]]:
    return sorted((each["name"], each["status"]) for each in presence["users"])


@pytest.mark.usefixtures("_long")
async def test_who_joins_is_told_who_is_there_and_who_types(
    server: Server, dial: Dial, alice: Client, bob: Client, room: Any
) -> None:
    carol = server.client("carol")
    await alice.post(f"/api/v1/threads/{room['id']}/members", user_id=(await carol.me())["id"])
    hers, his = await dial(alice), await dial(bob)
    await hers.subscribe(room["id"])
    await his.subscribe(room["id"])
    await told(hers, "presence")
    await bob.post(f"/api/v1/threads/{room['id']}/typing")
    await bob.post("/api/v1/users/me/status", status="idle")
    await told(hers, "user.status")
    third = await dial(carol)
    await third.subscribe(room["id"])
    whole = await told(third, "presence")
    assert (whole["count"], users(whole), names(whole["joined"])) == (
        2, [("Alice", "online"), ("Bob", "idle")], ["Alice", "Bob"],
    )  # fmt: skip
    assert names((await told(third, "typing"))["users"]) == ["Bob"]
    joined = await told(third, "presence")
    assert (joined["count"], names(joined["joined"])) == (3, ["Carol"])
    url = f"{server.url}/api/v1/threads/{room['id']}/events"
    async with event_stream(server.session, url, carol.token) as stream:
        first, second = await stream.events(2)
        assert users(orjson.loads(first["data"])["data"])[1:] == [("Bob", "idle"), ("Carol", "online")]
        assert names(orjson.loads(second["data"])["data"]["users"]) == ["Bob"]


@pytest.mark.usefixtures("_long")
@pytest.mark.parametrize("is_forgotten", [False, True])
async def test_who_comes_back_is_told_of_lists_that_have_ended(
    server: Server, dial: Dial, alice: Client, bob: Client, room: Any, is_forgotten: bool
) -> None:
    """Also where the thread's actor was out of memory meanwhile."""
    hers, his = await dial(alice), await dial(bob)
    position = await hers.subscribe(room["id"])
    await his.subscribe(room["id"])
    url = f"{server.url}/api/v1/threads/{room['id']}/events"
    async with event_stream(server.session, url, alice.token) as stream:
        await stream.begun()
        await told(hers, "presence")
        await bob.post(f"/api/v1/threads/{room['id']}/typing")
        assert names((await told(hers, "typing"))["users"]) == ["Bob"]
    hers.cut()
    await bob.post(f"/api/v1/threads/{room['id']}/typing", typing=False)
    his.cut()
    await until(lambda: server.services.hub.size == 0)
    if is_forgotten:
        actor = server.services.directory._threads[room["id"]]
        await until(lambda: not actor._audience)
        actor._retire()
    else:
        actor = server.services.directory._threads[room["id"]]
        await until(lambda: not actor._audience._presence._published)  # type: ignore[union-attr]
    again = await dial(alice)
    await again.subscribe(room["id"], recover=True, epoch=position["epoch"], offset=position["offset"])
    whole = await told(again, "presence")
    assert (whole["count"], users(whole)) == (1, [("Alice", "online")])
    assert (await told(again, "typing"))["users"] == []
    async with event_stream(server.session, url, alice.token, stream.last_id) as stream:
        first, second = await stream.events(2)
        assert (first["event"], orjson.loads(first["data"])["data"]["count"]) == ("presence", 1)
        assert (second["event"], orjson.loads(second["data"])["data"]["users"]) == ("typing", [])


async def test_who_is_back_is_named_and_not_who_has_stayed(dial: Dial, alice: Client, bob: Client, room: Any) -> None:
    hers, his = await dial(alice), await dial(bob)
    await hers.subscribe(room["id"])
    await his.subscribe(room["id"])
    await told(his, "presence")
    hers.cut()
    left = await told(his, "presence")
    assert (left["count"], names(left["left"])) == (1, ["Alice"])
    again = await dial(alice)
    await again.subscribe(room["id"])
    joined = await told(his, "presence")
    assert (joined["count"], names(joined["joined"]), joined["left"]) == (2, ["Alice"], [])
    assert users(await told(again, "presence")) == [("Bob", "online")]


class _Watcher:
    actor_urn = "c"

    def tell(self, message: object) -> None:
        """Of no interest here."""


def test_many_who_watch_cost_each_who_joins_and_leaves_no_more() -> None:
    """Ten times as many take ten times as long, not a hundred times."""

    def seconds(count: int) -> float:
        audience, who = Audience("x"), identity()
        watchers: list[Any] = [_Watcher() for _ in range(count)]
        began = time.perf_counter()
        for each in watchers:
            audience.join(Subscribe(who, each, watches=True))
        for each in watchers:
            audience.leave(each)
        return time.perf_counter() - began

    assert seconds(10_000) < 40 * min(seconds(1_000) for _ in range(3))


async def test_who_may(server: Server, alice: Client, bob: Client, root: Client) -> None:
    room = await alice.thread()
    for path in ("typing", "presence"):
        method = bob.post if path == "typing" else bob.get
        assert (await method(f"/api/v1/threads/{room['id']}/{path}")).status == 404
    await alice.post(f"/api/v1/threads/{room['id']}/members", user_id=(await bob.me())["id"], role="VIEWER")
    assert (await bob.post(f"/api/v1/threads/{room['id']}/typing")).status == 403
    assert (await bob.get(f"/api/v1/threads/{room['id']}/presence")).status == 200
    assert (await root.get(f"/api/v1/threads/{room['id']}/presence")).status == 200


async def test_nothing_of_it_is_logged(server: Server, dial: Dial, alice: Client, bob: Client, room: Any) -> None:
    hers, his = await dial(alice), await dial(bob)
    await hers.subscribe(room["id"])
    await his.subscribe(room["id"])
    await told(hers, "presence")
    before = server.services.directory.journal.batches
    await bob.post(f"/api/v1/threads/{room['id']}/typing")
    await told(hers, "typing")
    await told(hers, "typing")
    assert server.services.directory.journal.batches == before
    assert {event["type"] for event in (await alice.get(f"/api/v1/threads/{room['id']}/log")).data} == {
        "thread.created", "member.added",
    }  # fmt: skip


# Status


async def test_a_status_costs_those_who_have_it_not_all_who_are_there(
    server: Server, dial: Dial, alice: Client, bob: Client, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STATUS_SECONDS", 0.01)
    hers, his = await dial(alice), await dial(bob)
    await hers.subscribe(room["id"])
    await his.subscribe(room["id"])
    monkeypatch.setattr(Hub, "clients", property(lambda hub: pytest.fail("all clients are walked")))
    await his.ask("rpc", method="set_status", data={"status": "idle"})
    assert (await told(hers, "user.status"))["status"] == "idle"


async def test_two_tabs(dial: Dial, alice: Client, bob: Client, room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STATUS_SECONDS", 0.01)
    hers, used, other = await dial(alice), await dial(bob), await dial(bob)
    for client in (hers, used, other):
        await client.subscribe(room["id"])
    await used.ask("rpc", method="create_message", data={"thread_id": room["id"], "content": "here"})
    answer = await other.ask("rpc", method="set_status", data={"status": "idle"})
    assert answer["rpc"]["data"]["status"] == "online"
    assert await status(alice, bob) == ("online", True)
    used.cut()
    assert (await told(hers, "user.status"))["status"] == "idle"
    assert await status(alice, bob) == ("idle", True)
    assert (await bob.post("/api/v1/users/me/status", status="online")).data["status"] == "online"


async def test_a_status_of_a_connection_that_is_named(dial: Dial, bob: Client) -> None:
    path, ids = "/api/v1/users/me/status", []
    for _ in range(2):
        client = await dial()
        ids.append((await client.connect(bob.token))["client"])
    for uid, after in ((ids[1], "online"), (ids[1], "online"), (ids[0], "idle")):
        assert (await bob.post(path, status="idle", client=uid)).data["status"] == after
    assert (await bob.post(path, status="idle", client=new_id())).status == 404


async def status(asker: Client, who: Client) -> Any:
    answer = (await asker.get(f"/api/v1/users/{(await who.me())['id']}/status")).data
    return answer["status"], answer["last_active_at"] is not None


async def test_online_idle_and_offline(
    server: Server, dial: Dial, alice: Client, bob: Client, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STATUS_SECONDS", 0.01)
    assert await status(alice, bob) == ("offline", False)
    hers, his = await dial(alice), await dial(bob)
    await hers.subscribe(room["id"])
    await his.subscribe(room["id"])
    assert await status(alice, bob) == ("online", True)
    assert (await bob.post("/api/v1/users/me/status", status="idle")).data["status"] == "idle"
    assert await status(alice, bob) == ("idle", True)
    change = await told(hers, "user.status")
    assert (change["user"]["name"], change["status"]) == ("Bob", "idle")
    present = (await alice.get(f"/api/v1/threads/{room['id']}/presence")).data["users"]
    assert {each["user"]["name"]: each["status"] for each in present} == {"Alice": "online", "Bob": "idle"}
    await his.ask("rpc", method="create_message", data={"thread_id": room["id"], "content": "back"})
    assert (await told(hers, "user.status"))["status"] == "online"
    his.cut()
    await until(lambda: server.services.hub.size == 1)
    assert await status(alice, bob) == ("offline", True)


async def test_reading_is_no_deed_and_writing_by_rest_is(server: Server, alice: Client, bob: Client, room: Any) -> None:
    url = f"{server.url}/api/v1/threads/{room['id']}/events"
    async with event_stream(server.session, url, bob.token) as stream:
        await stream.begun()
        await bob.post("/api/v1/users/me/status", status="idle")
        await bob.get(f"/api/v1/threads/{room['id']}/messages")
        assert await status(alice, bob) == ("idle", True)
        await bob.say(room, "here")
        assert await status(alice, bob) == ("online", True)


async def test_when_somebody_was_here_last_outlives_the_server(server: Server, alice: Client, bob: Client) -> None:
    await bob.thread()
    server.services.activity.look()
    await alice.thread()  # is written after what is saved
    key = (await server.services.ask(GetUser((await bob.me())["id"]))).key
    assert server.services.activity.last(key) is None
    assert await status(alice, bob) == ("offline", True)
