"""Who is there and who types: told to those who are there, and never logged."""

from typing import Any

import orjson
import pytest

from actors import limits
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
    key = (await server.services.history.user((await bob.me())["id"])).key
    assert server.services.activity.last(key) is None
    assert await status(alice, bob) == ("offline", True)
