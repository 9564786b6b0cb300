"""A conversation's memory over REST and RPC: its versions, its errors, its events."""

import asyncio
from typing import Any

import orjson
import pytest

from actors import limits
from actors.identifiers import new_id
from tests.realtime_client import event_stream, raw_client
from tests.serving import Client, Server


@pytest.fixture
async def thread(alice: Client) -> Any:
    return await alice.thread()


@pytest.fixture
def path(thread: Any) -> str:
    return f"/api/v1/threads/{thread['id']}/memory"


async def test_its_life(alice: Client, thread: Any, path: str) -> None:
    begun = await alice.get(path)
    assert (begun.data, begun.metadata["offset"]) == ({"memory": {}, "version": 1}, 1)
    message = await alice.say(thread)
    memory = {
        "facts": ["Ana lives in Lima", {"id": "diet", "text": "Bo eats no meat", "source_message_id": message["id"]}],
        "summary": "They plan a trip.", "summary_up_to": 2, "pins": [message["id"]], "mine": {"nested": [1, None]},
    }  # fmt: skip
    put = await alice.put(path, memory=memory)
    assert (put.status, put.data) == (200, {"memory": memory, "version": 2})
    patched = await alice.patch(path, memory={"facts": ["only this"], "pins": None, "mine": {"more": True}})
    memory = {**memory, "facts": ["only this"], "mine": {"nested": [1, None], "more": True}}
    del memory["pins"]
    assert patched.data == {"memory": memory, "version": 3}
    read = await alice.get(path)
    assert (read.data, read.headers["ETag"], read.metadata["offset"]) == (patched.data, patched.headers["ETag"], 4)
    whole = (await alice.get(f"/api/v1/threads/{thread['id']}")).data
    assert (whole["memory"], whole["memory_version"], whole["version"]) == (memory, 3, 1)
    assert (await alice.put(path, memory={})).data == {"memory": {}, "version": 4}


async def test_a_merge_patch_by_its_own_media_type(alice: Client, path: str) -> None:
    sent = {"Content-Type": "application/merge-patch+json"}
    answer = await alice.request("PATCH", path, headers=sent, data=b'{"memory":{"a":{"b":1,"c":null}}}')
    assert answer.data["memory"] == {"a": {"b": 1}}
    assert (await alice.request("PATCH", path)).data == answer.data, "no body says nothing"


async def test_a_stale_version_is_refused(alice: Client, thread: Any, path: str) -> None:
    first = (await alice.get(path)).headers["ETag"]
    await alice.say(thread)
    await alice.patch(f"/api/v1/threads/{thread['id']}", title="Other")
    assert (await alice.patch(path, {"If-Match": first}, memory={"n": 1})).status == 200, "its version is its own"
    for method in ("PATCH", "PUT"):
        refused = await alice.request(method, path, headers={"If-Match": first}, json={"memory": {"n": 2}})
        assert (refused.status, refused.error["code"]) == (412, "stale_version")
    assert (await alice.get(path)).data == {"memory": {"n": 1}, "version": 2}
    answers = await asyncio.gather(*(alice.put(path, {"If-Match": '"2"'}, memory={"n": n}) for n in range(9)))
    assert sorted(answer.status for answer in answers) == [200] + [412] * 8


async def test_writers_at_once_lose_nothing(alice: Client, path: str) -> None:
    answers = await asyncio.gather(*(alice.patch(path, memory={f"k{n}": n}) for n in range(20)))
    assert sorted(answer.data["version"] for answer in answers) == list(range(2, 22))
    assert (await alice.get(path)).data["memory"] == {f"k{n}": n for n in range(20)}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "memory"),
        ({"memory": None}, "memory"),
        ({"memory": []}, "memory"),
        ({"memory": "x"}, "memory"),
        ({"memory": {"x": "x" * limits.MEMORY_BYTES}}, "memory"),
        ({"facts": ["x"]}, "facts"),
        ({"memory": {"facts": "x"}}, "memory.facts"),
        ({"memory": {"facts": [{"text": "x", "why": "y"}]}}, "memory.facts.0.why"),
        ({"memory": {"facts": [{}]}}, "memory.facts.0.text"),
        ({"memory": {"summary": 5}}, "memory.summary"),
        ({"memory": {"summary": "x", "summary_up_to": 2}}, "memory.summary_up_to"),
        ({"memory": {"summary_up_to": 1}}, "memory.summary_up_to"),
        ({"memory": {"pins": ["x"]}}, "memory.pins.0"),
        ({"memory": {"pins": ["c" + "a" * 24]}}, "memory.pins.0"),
    ],
)
async def test_what_it_may_not_be(alice: Client, thread: Any, path: str, body: Any, field: str) -> None:
    refused = await alice.put(path, **body)
    assert (refused.status, refused.error["code"]) == (400, "validation_failed")
    assert field in refused.error["errors"]
    assert (await alice.get(path)).data == {"memory": {}, "version": 1}
    assert len((await alice.get(f"/api/v1/threads/{thread['id']}/log")).data) == 1


async def test_limits_name_themselves(alice: Client, path: str) -> None:
    for _ in range(2):
        grown = await alice.patch(path, memory={new_id(): "x" * 40_000})
    assert f"at most {limits.MEMORY_BYTES} bytes as JSON, it would have 80" in grown.error["errors"]["memory"][0]
    pins = [new_id() for _ in range(limits.MEMORY_PINS + 1)]
    refused = await alice.put(path, memory={"pins": pins})
    assert refused.error["errors"]["memory.pins"] == ["may be at most 50 messages, these are 51."]


async def test_who_may(server: Server, alice: Client, bob: Client, root: Client) -> None:
    assistant, viewer = server.client("bot", kind="ASSISTANT"), server.client("viewer")
    members = [{"user_id": (await assistant.me())["id"]}, {"user_id": (await viewer.me())["id"], "role": "VIEWER"}]
    thread = await alice.thread(members=members)
    path = f"/api/v1/threads/{thread['id']}/memory"
    expected = {alice: (200, 200), assistant: (200, 200), viewer: (200, 403), root: (200, 403), bob: (404, 404)}
    for client, (reads, writes) in expected.items():
        body = {"memory": {"by": client.name}}
        assert (await client.get(path)).status == reads, client.name
        assert (await client.patch(path, **body)).status == (await client.put(path, **body)).status == writes
    await alice.patch(f"/api/v1/threads/{thread['id']}", status="CLOSED")
    for closed in (await alice.patch(path, memory={"n": 1}), await alice.put(path, memory={})):
        assert (closed.status, closed.error["code"]) == (409, "thread_closed")
    assert (await viewer.get(path)).data == {"memory": {"by": "bot"}, "version": 3}


async def test_by_rpc(server: Server, alice: Client, thread: Any, path: str) -> None:
    there = {"thread_id": thread["id"]}
    async with raw_client(server.session, server.websocket_url, alice.token) as client:

        async def rpc(method: str, **data: Any) -> Any:
            return await client.ask("rpc", method=method, data={**there, **data})

        first = await rpc("replace_memory", memory={"n": 1}, if_version=1, idempotency_key="k")
        again = await rpc("replace_memory", memory={"n": 1}, if_version=1, idempotency_key="k")
        assert first["rpc"] == again["rpc"] == {"data": {"memory": {"n": 1}, "version": 2}}
        stale = await rpc("update_memory", memory={"n": None}, if_version=1)
        assert orjson.loads(stale["error"]["message"])["code"] == "stale_version"
        assert (await rpc("update_memory", memory={"n": None}))["rpc"]["data"] == {"memory": {}, "version": 3}
        assert (await rpc("get_memory"))["rpc"]["data"] == (await alice.get(path)).data
        assert (await rpc("get_context", format="text"))["rpc"]["data"]["memory_version"] == 3


async def test_every_change_is_an_event(server: Server, alice: Client, bob: Client) -> None:
    """Live, on every transport; told again later, as it is then."""
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"], "role": "VIEWER"}])
    url = f"/api/v1/threads/{thread['id']}"
    async with (
        raw_client(server.session, server.websocket_url, bob.token) as socket,
        event_stream(server.session, server.url + url + "/events", bob.token) as stream,
    ):
        await stream.begun()
        await socket.subscribe(thread["id"])
        await alice.put(f"{url}/memory", memory={"facts": ["x"]})
        await alice.patch(f"{url}/memory", memory={"facts": ["x"]})  # nothing new
        await alice.patch(f"{url}/memory", memory={"summary": "y"})
        pushed = await socket.publications(2)
        streamed = await stream.events(2)
    first, second = (
        {"memory": {"facts": ["x"]}, "version": 2},
        {"memory": {"facts": ["x"], "summary": "y"}, "version": 3},
    )
    assert [item["data"]["data"] for item in pushed] == [first, second]
    assert [item["offset"] for item in pushed] == [3, 4]
    assert {item["data"]["type"] for item in pushed} == {fields["event"] for fields in streamed} == {"memory.updated"}
    assert pushed[0]["data"]["actor"]["name"] == "Alice"
    log = (await bob.get(f"{url}/log", after="2")).data
    assert [event["data"] for event in log] == [second, second], "replay tells the memory as it is now"


async def test_it_goes_with_its_thread(alice: Client, thread: Any, path: str) -> None:
    await alice.put(path, memory={"secret": "x"})
    await alice.delete(f"/api/v1/threads/{thread['id']}")
    for answer in (await alice.get(path), await alice.put(path, memory={}), await alice.patch(path, memory={"n": 1})):
        assert answer.status == 404
