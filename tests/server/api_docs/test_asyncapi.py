"""The AsyncAPI document is valid, has an example for everything, and says what the transports really do."""

import copy
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from jsonschema import Draft7Validator

from actors import limits
from actors.event_kinds import KINDS, USER_EPHEMERAL_KINDS, USER_KINDS
from actors.resources.actions import ExpireForms
from actors.resources.files.processing import RecordPreview
from server.api_docs.asyncapi import MESSAGES, THREAD_EVENTS
from server.api_docs.events import EPHEMERAL
from server.api_docs.frames import VERBS
from server.realtime.protocol import codes as protocol
from tests.files import stored_file
from tests.realtime_client import RawClient, raw_client
from tests.server.api_docs.references import Json, asyncapi_document, nodes, violations
from tests.server.files.uploading import append, create
from tests.server.realtime.test_own_log import AFTER_ALL, APPROVAL
from tests.serving import Client, Server
from tests.tokens import SECRET

OFFICIAL = Draft7Validator(orjson.loads((Path(__file__).parent / "asyncapi_schema" / "3.0.0.json").read_bytes()))
DOCUMENT = asyncapi_document()
SAID: dict[str, Json] = DOCUMENT["components"]["messages"]

_USER_EVENTS = {*USER_KINDS, *(kind.name for kind in USER_EPHEMERAL_KINDS)}


def check(name: str, payload: Any) -> None:
    """Hold what came against a message of the document."""
    assert violations(DOCUMENT, SAID[name]["payload"], payload) == [], name


def test_it_is_asyncapi() -> None:
    assert [error.message for error in OFFICIAL.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize("place", ["channels", "operations", "components/messages"])
def test_the_official_schema_would_say_so(place: str) -> None:
    broken = copy.deepcopy(DOCUMENT)
    node = broken
    for name in place.split("/"):
        node = node[name]
    next(iter(node.values()))["no_such"] = 1
    assert list(OFFICIAL.iter_errors(broken))


def test_references_lead_somewhere() -> None:
    for where, node in nodes(DOCUMENT):
        if isinstance(node, dict) and "$ref" in node:
            found: Any = DOCUMENT
            for name in node["$ref"].removeprefix("#/").split("/"):
                assert name in found, (where, node)
                found = found[name]


@pytest.mark.parametrize("name", SAID)
def test_every_message_has_an_example_that_is_what_its_schema_says(name: str) -> None:
    assert SAID[name]["examples"]
    for example in SAID[name]["examples"]:
        check(name, example["payload"])


def test_every_event_is_in_it() -> None:
    assert set(KINDS) <= SAID.keys()
    for channel in ("thread", "threadStream", "threadsStream"):
        assert set(THREAD_EVENTS) <= DOCUMENT["channels"][channel]["messages"].keys()
    for type_ in THREAD_EVENTS:
        assert SAID[type_]["examples"][0]["payload"]["type"] == type_


def test_every_message_is_said_somewhere() -> None:
    said = {name for channel in DOCUMENT["channels"].values() for name in channel["messages"]}
    assert said == SAID.keys() == MESSAGES.keys() | {"ping.push"}


# What really happens


@pytest.fixture
async def socket(server: Server, alice: Client) -> AsyncIterator[RawClient]:
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        yield client


async def published(socket: RawClient, kind: str = "thread") -> Any:
    """The next event of a channel of that kind."""
    while True:
        push = await socket.next()
        check("publication.push", push)
        if push["push"]["channel"].startswith(f"{kind}:"):
            return push["push"]["pub"]["data"]


async def test_events_are_what_the_document_says(
    server: Server, alice: Client, bob: Client, socket: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread's whole life, with every type of event in it."""
    monkeypatch.setattr(limits, "PRESENCE_SECONDS", 0.0)
    monkeypatch.setattr(limits, "STATUS_SECONDS", 0.0)
    thread = await alice.thread(metadata={"a": [1]})
    thread_id, path = thread["id"], f"/api/v1/threads/{thread['id']}"
    reply = await socket.ask("subscribe", channel=f"thread:{thread_id}", recover=True, offset=0, epoch="")
    check("subscribe.reply", reply)
    events = [item["data"] for item in reply["subscribe"]["publications"]]
    bob_id = (await bob.me())["id"]
    await alice.post(f"{path}/members", user_id=bob_id)
    async with raw_client(server.session, server.websocket_url, bob.token) as other:
        await other.ask("subscribe", channel=f"thread:{thread_id}")
        while events[-1]["type"] != "presence":
            events.append(await published(socket))
        await bob.post("/api/v1/users/me/status", status="idle")
        while events[-1]["type"] != "user.status":
            events.append(await published(socket))
    await bob.post(f"{path}/typing")
    message = await alice.say(thread, "Hello", blocks=[{"type": "markdown", "text": "x"}], metadata={"b": None})
    await bob.post(f"/api/v1/messages/{message['id']}/reactions", emoji="👍")
    await bob.say(thread, "Hi", parent_id=message["id"])
    await alice.patch(f"/api/v1/messages/{message['id']}", content="Hello!")
    await bob.delete(f"/api/v1/messages/{message['id']}/reactions/👍")
    await alice.delete(f"/api/v1/messages/{message['id']}")
    await bob.post(f"{path}/read")
    outside = (await alice.post("/api/v1/files", name="a.txt")).data["id"]
    await alice.post(f"{path}/messages", files=[outside])
    await begin_to_upload(alice, file_id=outside)
    while events[-1]["type"] != "file.progress":
        events.append(await published(socket))
    made = await alice.post(f"{path}/artifacts", type="REPORT", title="x", content="x")
    await alice.patch(f"/api/v1/artifacts/{made.data['id']}", title="y")
    await alice.put(f"/api/v1/artifacts/{made.data['id']}/data/sales", columns=["a"], rows=[[1]])
    patch = [{"op": "replace", "path": "", "value": "z"}]
    proposed = await alice.post(f"/api/v1/artifacts/{made.data['id']}/proposals", patch=patch)
    await alice.post(f"/api/v1/artifacts/{made.data['id']}/proposals/{proposed.data['id']}/reject")
    opened = await alice.post(f"/api/v1/artifacts/{made.data['id']}/streams")
    await alice.post(f"/api/v1/artifacts/{made.data['id']}/streams/{opened.data['id']}/append", text="More.")
    await alice.post(f"/api/v1/artifacts/{made.data['id']}/streams/{opened.data['id']}/complete")
    said = await alice.post(f"/api/v1/artifacts/{made.data['id']}/comments", content="x", anchor={"pointer": ""})
    await alice.patch(f"/api/v1/artifacts/{made.data['id']}/comments/{said.data['id']}", resolved=True)
    await alice.delete(f"/api/v1/artifacts/{made.data['id']}/comments/{said.data['id']}")
    await act_on_artifact(alice, bob, f"/api/v1/artifacts/{made.data['id']}")
    await alice.delete(f"/api/v1/artifacts/{made.data['id']}")
    file = await stored_file(server, (await alice.me())["id"], thread_id)
    shown = RecordPreview(file.id, 1, "done")
    await server.services.write(shown)
    await alice.delete(f"/api/v1/files/{file.id}")
    await alice.say(thread, "One more")
    asking = await alice.say(thread, "Read this", acknowledgement={})
    await bob.put(f"/api/v1/messages/{asking['id']}/acknowledgement")
    await bob.post(f"{path}/read")
    written = (await alice.post(f"{path}/messages", status="STREAMING")).data
    await alice.post(f"/api/v1/messages/{written['id']}/append", text="Once upon")
    await alice.post(f"/api/v1/messages/{written['id']}/complete")
    await alice.put(f"{path}/memory", memory={"summary": "They met."})
    await alice.patch(path, title="Another title")
    await alice.post(f"{path}/control", control="human", reason="It asks for a person.")
    await alice.patch(f"{path}/members/{bob_id}", role="VIEWER")
    await alice.delete(f"{path}/members/{bob_id}")
    await alice.delete(path)
    while events[-1]["type"] != "thread.deleted":
        events.append(await published(socket))
    for event in events:
        check(event["type"], event)
    assert {event["type"] for event in events} == {*KINDS, *EPHEMERAL}
    ended = await socket.next()
    while "pub" in ended["push"]:
        ended = await socket.next()
    check("unsubscribe.push", ended)


async def begin_to_upload(alice: Client, **what: str) -> None:
    await append(alice, (await create(alice, 100, **what)).headers["Location"], 0, bytes(50))


async def act_on_artifact(alice: Client, bob: Client, url: str) -> None:
    button = {"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}}
    blocks = [{"type": "actions", "block_id": "b", "elements": [button]}]
    await alice.put(url, content={"sections": [], "blocks": blocks})
    action = (await bob.post(f"{url}/actions", block_id="b", action_id="yes")).data
    await alice.post(f"/api/v1/actions/{action['id']}/answer")


async def answer_an_action(alice: Client, bob: Client, thread: Any) -> None:
    """And delete the message that it is on."""
    button = {"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}}
    message = await bob.say(thread, blocks=[{"type": "actions", "block_id": "b", "elements": [button]}])
    path = f"/api/v1/messages/{message['id']}"
    action = (await alice.post(f"{path}/actions", block_id="b", action_id="yes")).data
    await bob.post(f"/api/v1/actions/{action['id']}/answer", text="Done.")
    await bob.delete(path)


async def look_for_options(alice: Client, bob: Client, thread: Any) -> None:
    """Of a message of Alice's, who does not answer."""
    select = {"type": "external_select", "action_id": "city"}
    message = await alice.say(thread, blocks=[{"type": "actions", "block_id": "b", "elements": [select]}])
    answer = await bob.post(f"/api/v1/messages/{message['id']}/options", block_id="b", action_id="city")
    assert answer.status == 200, answer.raw


IN_A_MONTH = (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="minutes")[:16]


async def test_ones_own_events_are_what_the_document_says(
    server: Server, alice: Client, bob: Client, socket: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that happens to oneself."""
    monkeypatch.setattr(limits, "OPTIONS_SECONDS", 0.01)
    me = (await alice.me())["id"]
    thread = await bob.thread(members=[{"user_id": me, "role": "MEMBER"}])
    other = await bob.thread(members=[{"user_id": me, "role": "MEMBER"}])
    path = f"/api/v1/threads/{thread['id']}"
    for _ in range(2):
        message = await bob.say(thread, "@alice, look")
    await alice.post(f"{path}/read")
    await alice.post(f"{path}/unread", offset=message["offset"])
    await bob.say(thread, "@alice, again")
    events = [await published(socket, "user")]
    while events[-1]["type"] != "unread":
        events.append(await published(socket, "user"))
    await answer_an_action(alice, bob, thread)
    await bob.say(thread, blocks=[APPROVAL])
    await server.services.write(ExpireForms(before=AFTER_ALL))
    await begin_to_upload(alice, filename="a.txt")
    await alice.post(f"{path}/exports", format="json")
    listed = (await alice.get("/api/v1/notifications", unread="true")).data
    await alice.post(f"/api/v1/notifications/{listed[0]['id']}/read")
    await alice.post("/api/v1/notifications/read-all")
    await alice.patch("/api/v1/users/me/preferences", quiet_hours={"start": "22:00", "end": "07:00"})
    await alice.patch(f"{path}/preferences", notify="mentions")
    await alice.patch("/api/v1/users/me", name="Alice B.")
    await look_for_options(alice, bob, thread)
    await alice.post("/api/v1/schedules", kind="reminder", content="tea", local_time=IN_A_MONTH)
    await bob.delete(f"{path}/members/{me}")
    await bob.delete(f"/api/v1/threads/{other['id']}")
    while {event["type"] for event in events} != _USER_EVENTS or not any(map(_is_of_other, events)):
        events.append(await published(socket, "user"))
    for event in events:
        check(event["type"], event)


def _is_of_other(event: Json) -> bool:
    """That the other thread was deleted: the last thing that happens."""
    return event["type"] == "thread.left" and event["data"]["reason"] == "deleted"


COMMANDS: dict[str, Json] = {
    "subscribe": {"channel": "…"},
    "unsubscribe": {"channel": "…"},
    "publish": {"channel": "…", "data": {"content": "Hello"}},
    "history": {"channel": "…", "limit": 10},
    "rpc": {"method": "get_me"},
    "refresh": {"token": "…"},
    "ping": {},
    "presence": {"channel": "…"},
    "presence_stats": {"channel": "…"},
    "sub_refresh": {"channel": "cursor:1", "token": "…"},
}


def test_every_command_is_tried_here() -> None:
    assert COMMANDS.keys() | {"connect"} == VERBS.keys()


@pytest.mark.parametrize("verb", COMMANDS)
async def test_a_command_is_answered_as_the_document_says(
    verb: str, alice: Client, server: Server, socket: RawClient
) -> None:
    thread = await alice.thread()
    await alice.say(thread)
    body = {**COMMANDS[verb], **({"channel": f"thread:{thread['id']}"} if "channel" in COMMANDS[verb] else {})}
    if verb == "refresh":
        body = {"token": server.client("alice", ttl_seconds=1_000).token}
    if verb == "sub_refresh":
        claims = {"sub": "sub-alice", "channel": "cursor:1", "exp": int(time.time()) + 1_000}
        body = {"channel": "cursor:1", "token": jwt.encode(claims, SECRET, algorithm="HS256")}
        check("subscribe.reply", await socket.ask("subscribe", **body))
    check(f"{verb}.command", {"id": 1, verb: body})
    check(f"{verb}.reply", await socket.ask(verb, **body))
    refused = await socket.ask("rpc", method="get_thread", data={"id": "nonsense"})
    check("error.reply", refused)


async def test_who_comes_and_goes_is_told_as_the_document_says(
    server: Server, alice: Client, socket: RawClient
) -> None:
    channel = f"thread:{(await alice.thread())['id']}"
    await socket.ask("subscribe", channel=channel, join_leave=True)
    async with raw_client(server.session, server.websocket_url, alice.token) as other:
        await other.ask("subscribe", channel=channel)
        check("join.push", await told(socket, "join"))
    check("leave.push", await told(socket, "leave"))


async def told(socket: RawClient, what: str) -> Any:
    while what not in (push := await socket.next())["push"]:
        pass
    return push


async def test_connect_is_answered_as_the_document_says(server: Server, alice: Client) -> None:
    async with server.session.ws_connect(server.websocket_url) as plain:
        await plain.send_json({"id": 1, "connect": {"token": alice.token}})
        check("connect.reply", await plain.receive_json())


async def test_what_is_not_documented_is_not_available(socket: RawClient) -> None:
    for verb in protocol.VERBS - VERBS.keys() - {"send"}:
        assert (await socket.error(verb, channel="x"))[0] == protocol.NOT_AVAILABLE[0], verb


async def test_what_a_stream_cannot_go_on_from(server: Server, alice: Client) -> None:
    thread = await alice.thread()
    path = f"{server.url}/api/v1/threads/{thread['id']}/events"
    headers = {"Authorization": f"Bearer {alice.token}", "Last-Event-ID": "another-1"}
    async with server.session.get(path, headers=headers) as response:
        async for line in response.content:
            if line.startswith(b"data:"):
                check("resync", orjson.loads(line[5:]))
                return
