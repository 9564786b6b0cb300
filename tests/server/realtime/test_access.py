"""Access ends: the client is told, and from then on nothing of the thread reaches it, over any transport."""

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest

from actors.threads.actor import ThreadActor
from server.realtime.session.sources import ThreadSource
from tests.realtime_client import Disconnected, EventStream, RawClient, event_stream
from tests.server.realtime.conftest import Dial
from tests.server.realtime.waiting import until
from tests.serving import Client, Server

pytestmark = pytest.mark.usefixtures("few_and_crowd")


@pytest.fixture
async def him(bob: Client) -> str:
    return str((await bob.me())["id"])


@pytest.fixture
async def thread(alice: Client, him: str) -> Any:
    return await alice.thread(members=[{"user_id": him}])


async def remove(alice: Client, thread: Any, him: str) -> None:
    assert (await alice.delete(f"/api/v1/threads/{thread['id']}/members/{him}")).status == 200


async def delete(alice: Client, thread: Any, him: str) -> None:
    assert (await alice.delete(f"/api/v1/threads/{thread['id']}")).status == 200


ENDINGS = {"member.removed": remove, "thread.deleted": delete}


async def nothing_more(client: RawClient) -> None:
    """What was sent before the answer to a ping has arrived with it."""
    await client.ask("ping")
    assert client.inbox == []


@pytest.mark.parametrize("last", ENDINGS)
async def test_a_websocket_is_told_to_leave(
    dial: Dial, alice: Client, bob: Client, thread: Any, him: str, last: str
) -> None:
    client = await dial(bob)
    other = await alice.thread(members=[{"user_id": him}])
    await client.subscribe(thread["id"])
    await client.subscribe(other["id"])
    await ENDINGS[last](alice, thread, him)
    assert (await client.push())["pub"]["data"]["type"] == last
    assert await client.push() == {
        "channel": f"thread:{thread['id']}", "unsubscribe": {"code": 2000, "reason": "access ended"},
    }  # fmt: skip
    await alice.post(f"/api/v1/threads/{thread['id']}/messages", content="not for him")
    await alice.say(other, "for him")
    assert (await client.push())["pub"]["data"]["data"]["content"] == "for him"
    await nothing_more(client)
    assert (await client.error("subscribe", channel=f"thread:{thread['id']}"))[0] == 102
    assert (await client.error("history", channel=f"thread:{thread['id']}", limit=9))[0] == 102
    assert (await client.ask("unsubscribe", channel=f"thread:{thread['id']}"))["unsubscribe"] == {}


async def test_whoever_comes_back_may_subscribe_again(
    dial: Dial, alice: Client, bob: Client, thread: Any, him: str
) -> None:
    client = await dial(bob)
    await client.subscribe(thread["id"])
    await remove(alice, thread, him)
    await client.push()
    await client.push()
    await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=him)
    answer = await client.subscribe(thread["id"], recover=True, offset=2)
    assert [item["data"]["type"] for item in answer["publications"]] == ["member.removed", "member.added"]
    await alice.say(thread)
    assert (await client.push())["pub"]["offset"] == 5


async def test_others_go_on(dial: Dial, alice: Client, bob: Client, root: Client, thread: Any, him: str) -> None:
    hers, roots = await dial(alice), await dial(root)
    for client in (hers, roots):
        await client.subscribe(thread["id"])
    await remove(alice, thread, him)
    await alice.say(thread)
    for client in (hers, roots):
        assert [item["offset"] for item in await client.publications(2)] == [3, 4]


async def test_removed_and_spoken_of_in_one_transaction(
    dial: Dial, alice: Client, bob: Client, thread: Any, him: str
) -> None:
    """Whatever ends up in one commit: what comes after the removal is not told, what came before is."""
    for _ in range(10):
        client = await dial(bob)
        since = (await client.subscribe(thread["id"]))["offset"]
        await asyncio.gather(
            *(alice.say(thread, "before or after") for _ in range(10)),
            remove(alice, thread, him),
            *(alice.say(thread, "before or after") for _ in range(10)),
        )
        seen = []
        while "pub" in (push := await client.push()):
            if push["channel"] == f"thread:{thread['id']}":  # on the own channel it is told that they were added
                seen.append(push["pub"]["data"])
        assert [event["offset"] for event in seen] == list(range(since + 1, since + 1 + len(seen)))
        assert [event["type"] for event in seen].index("member.removed") == len(seen) - 1
        await nothing_more(client)
        await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=him)


async def test_nobody_writes_after_their_own_removal(
    dial: Dial, alice: Client, bob: Client, thread: Any, him: str
) -> None:
    """Even where the removal and what they write wait for the same commit."""
    client = await dial(bob)
    for _ in range(10):
        data = {"thread_id": thread["id"], "content": "still here"}
        commands = [client.command("rpc", method="create_message", data=data) for _ in range(40)]
        removal = asyncio.create_task(remove(alice, thread, him))
        for command in commands:
            await client.send(command)
            await asyncio.sleep(0)
        answers = [await client.reply(command["id"]) for command in commands]
        await removal
        log = (await alice.get(f"/api/v1/threads/{thread['id']}/log", limit="100")).data
        assert log[-1]["type"] == "member.removed"
        assert len(log) == 3 + sum("rpc" in answer for answer in answers)
        assert all(answer["error"]["code"] == 102 for answer in answers if "error" in answer)
        thread = await alice.thread(members=[{"user_id": him}])


async def test_subscribing_while_being_removed(dial: Dial, alice: Client, bob: Client, thread: Any, him: str) -> None:
    """Either refused, or subscribed and then told to leave: never subscribed for good."""
    client = await dial(bob)
    channel = f"thread:{thread['id']}"
    for round_number in range(30):
        commands = [client.command("ping") for _ in range(round_number % 7)]
        subscribe = client.command("subscribe", channel=channel, recover=True, epoch="", offset=0)
        removal = asyncio.create_task(remove(alice, thread, him))
        for command in [*commands, subscribe]:
            await client.send(command)
            await asyncio.sleep(0)
        answer = await client.reply(subscribe["id"])
        await removal
        said = await alice.say(thread, "after he has gone")
        if "error" in answer:
            assert answer["error"]["code"] == 102
        else:
            while "pub" in (push := await client.push()):
                assert push["pub"]["offset"] < said["offset"]
            assert push["unsubscribe"]["code"] == 2000
        await client.ask("ping")
        assert not [message for message in client.inbox if "push" in message]
        await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=him)


async def test_removed_between_registering_and_the_answer(
    dial: Dial, alice: Client, bob: Client, thread: Any, him: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very moment that no test hits by chance: registered, and the history not read yet."""
    reading, removed = asyncio.Event(), asyncio.Event()
    missed = ThreadSource.missed

    async def later(self: ThreadSource, *args: Any) -> Any:
        reading.set()
        await asyncio.ensure_future(removed.wait())
        return await missed(self, *args)

    monkeypatch.setattr(ThreadSource, "missed", later)
    client = await dial(bob)
    for recover, code in ((True, 102),):
        subscribe = client.command("subscribe", channel=f"thread:{thread['id']}", recover=recover, offset=0)
        await client.send(subscribe)
        await reading.wait()
        await alice.say(thread, "before")
        await remove(alice, thread, him)
        removed.set()
        answer = await client.reply(subscribe["id"])
        assert answer["error"]["code"] == code
        await alice.say(thread, "after")
        await nothing_more(client)


# Accounts


@pytest.mark.parametrize("change", ["deactivate", "delete", "promote"])
async def test_rights_that_change_close_what_is_open(
    server: Server, dial: Dial, alice: Client, bob: Client, root: Client, thread: Any, him: str, change: str
) -> None:
    client, hers = await dial(bob), await dial(alice)
    await client.subscribe(thread["id"])
    url = f"{server.url}/api/v1/threads/{thread['id']}/events"
    async with event_stream(server.session, url, bob.token) as stream:
        await stream.begun()
        if change == "delete":
            assert (await root.delete(f"/api/v1/users/{him}")).status == 200
        else:
            fields = {"status": "DEACTIVATED"} if change == "deactivate" else {"role": "ADMIN"}
            assert (await root.patch(f"/api/v1/users/{him}", **fields)).status == 200
        assert (await client.closed()).code == (3005 if change == "promote" else 3500)
        await alice.say(thread, "not for him")
        await stream.ended()
    assert "not for him" not in str(client.inbox)
    assert (await hers.ask("ping"))["ping"] == {}
    again = await dial()
    await again.send(again.command("connect", token=bob.token))
    if change == "promote":
        assert "connect" in await again.reply(1)
    else:
        assert (await again.closed()).code == 3500


async def test_a_stream_opened_while_its_user_is_deactivated(
    server: Server, alice: Client, bob: Client, root: Client, thread: Any, him: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for before, opened after: no stream may outlive the account by its whole token."""
    prepared, deactivated = asyncio.Event(), asyncio.Event()
    prepare = aiohttp.web.StreamResponse.prepare

    async def later(self: Any, request: Any) -> Any:
        if request.path.endswith("/events"):
            prepared.set()
            await deactivated.wait()
        return await prepare(self, request)

    monkeypatch.setattr(aiohttp.web.StreamResponse, "prepare", later)

    async def listen() -> None:
        url = f"{server.url}/api/v1/threads/{thread['id']}/events"
        async with event_stream(server.session, url, bob.token) as stream:
            await stream.ended()

    listening = asyncio.create_task(listen())
    await prepared.wait()
    assert (await root.patch(f"/api/v1/users/{him}", status="DEACTIVATED")).status == 200
    deactivated.set()
    await listening


@pytest.mark.parametrize("path", ["threads/{}/events", "admin/threads/{}/events"])
async def test_a_stream_opened_while_its_user_becomes_no_admin(
    server: Server, root: Client, thread: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """The token stays good; what it is good for has changed."""
    second = server.client("second", role="ADMIN")
    me, scopes = await second.me(), ["read", "write", "admin"]
    second.token = (await second.post("/api/v1/auth/api-keys", name="k", scopes=scopes)).data["key"]
    prepared, changed = asyncio.Event(), asyncio.Event()
    prepare = aiohttp.web.StreamResponse.prepare

    async def later(self: Any, request: Any) -> Any:
        if request.path.endswith("/events"):
            prepared.set()
            await changed.wait()
        return await prepare(self, request)

    monkeypatch.setattr(aiohttp.web.StreamResponse, "prepare", later)

    async def listen() -> None:
        async with event_stream(server.session, f"{server.url}/api/v1/{path.format(thread['id'])}", second.token) as it:
            assert "ERROR" not in (await it.response.read()).decode()

    listening = asyncio.create_task(listen())
    await prepared.wait()
    assert (await root.patch(f"/api/v1/users/{me['id']}", role="USER")).status == 200
    changed.set()
    async with asyncio.timeout(10):
        await listening


# Streams


@pytest.mark.parametrize("last", ENDINGS)
@pytest.mark.parametrize("path", ["/api/v1/threads/{}/events", "/api/v1/events?threads={},{}", "/api/v1/events"])
async def test_a_stream_is_told(
    server: Server, alice: Client, bob: Client, thread: Any, him: str, path: str, last: str
) -> None:
    other = await alice.thread(members=[{"user_id": him}])
    async with event_stream(server.session, server.url + path.format(thread["id"], other["id"]), bob.token) as stream:
        await stream.begun()
        await ENDINGS[last](alice, thread, him)
        assert (await stream.next())["event"] == last
        told = await stream.next()
        assert told["event"] == "resync"
        assert orjson.loads(told["data"]) == {
            "reason": "access ended", "reload": "/api/v1/threads", "thread_id": thread["id"],
        }  # fmt: skip
        assert "id" not in told, "a client that comes back starts from the last event it had"
        await alice.post(f"/api/v1/threads/{thread['id']}/messages", content="not for him")
        if path.startswith("/api/v1/events"):
            await alice.say(other, "for him")
            assert orjson.loads((await stream.next())["data"])["data"]["content"] == "for him"
        else:
            await nothing_of(stream, server, thread)


async def nothing_of(stream: EventStream, server: Server, thread: Any) -> None:
    """The thread has told everyone who still listens: this stream is not among them."""
    actor = server.services.directory._threads[thread["id"]]
    assert isinstance(actor, ThreadActor)
    assert len(actor._audience) == 0
    for client in list(server.services.hub._clients):
        client.close(3001, "shutdown")
    with pytest.raises(Disconnected):
        raise AssertionError(f"told: {await stream.next()}")


@pytest.mark.parametrize("path", ["/api/v1/threads/{}/events", "/api/v1/events?threads={}"])
async def test_a_stream_of_others_is_not_there(server: Server, alice: Client, bob: Client, path: str) -> None:
    thread = await alice.thread()
    refused = await bob.get(path.format(thread["id"]))
    absent = await bob.get(path.format("c" + "0" * 24))
    assert refused.status == absent.status == 404
    assert refused.error["code"] == absent.error["code"] == "not_found"
    assert refused.error["detail"].replace(thread["id"], "c" + "0" * 24) == absent.error["detail"]


async def test_a_key_gains_nothing_as_its_user_changes(
    server: Server, dial: Dial, root: Client, alice: Client, thread: Any
) -> None:
    key = (await root.post("/api/v1/auth/api-keys", name="no admin", scopes=["read", "write"])).data["key"]
    client = await dial()
    await client.connect(key)
    await root.patch("/api/v1/users/me", name="Renamed")
    (session,) = server.services.hub.clients
    await until(lambda: session.identity is not None and session.identity.user.name == "Renamed")
    assert (await client.error("subscribe", channel=f"thread:{thread['id']}"))[0] == 102
    assert (await client.error("rpc", method="delete_thread", data={"id": thread["id"]}))[0] == 102
    assert (await alice.get(f"/api/v1/threads/{thread['id']}")).status == 200
