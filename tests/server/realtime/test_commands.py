"""Every verb, and the exact error of what is refused. No command goes unanswered."""

from typing import Any

import orjson
import pytest
import pytest_asyncio

from actors import limits
from actors.identifiers import new_id
from tests.realtime_client import RawClient
from tests.server.one_server import alice, bob, dial, server
from tests.server.realtime.conftest import Dial
from tests.serving import Client

__all__ = ["alice", "bob", "dial", "server"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "c" + "0" * 24
"""An id that is nobody's."""


@pytest_asyncio.fixture(loop_scope="module")
async def thread(alice: Client) -> Any:
    return await alice.thread()


@pytest_asyncio.fixture(loop_scope="module")
async def client(dial: Dial, alice: Client) -> RawClient:
    return await dial(alice)


@pytest.fixture
def channel(thread: Any) -> str:
    return f"thread:{thread['id']}"


async def test_ping(client: RawClient) -> None:
    assert await client.ask("ping") == {"id": 2, "ping": {}}


async def test_subscribe_publish_unsubscribe(client: RawClient, thread: Any, channel: str) -> None:
    answer = await client.subscribe(thread["id"])
    assert answer.keys() == {"recoverable", "positioned", "epoch", "offset"}
    assert answer["recoverable"] is answer["positioned"] is True
    assert answer["offset"] == thread["offset"] == 1
    published = await client.ask("publish", channel=channel, data={"content": "one", "metadata": {"a": [1, None]}})
    assert published["publish"] == {}
    push = await client.push()
    assert push["channel"] == channel
    assert push["pub"]["offset"] == push["pub"]["data"]["offset"] == 2
    assert push["pub"]["data"]["data"]["metadata"] == {"a": [1, None]}
    assert (await client.ask("unsubscribe", channel=channel))["unsubscribe"] == {}
    await client.ask("publish", channel=channel, data={"content": "two"})
    assert (await client.ask("ping"))["ping"] == {}
    assert client.inbox == []


async def test_rpc_is_the_operation(client: RawClient, alice: Client, thread: Any) -> None:
    data = {"thread_id": thread["id"], "content": "by rpc"}
    told = (await client.ask("rpc", method="create_message", data=data))["rpc"]["data"]
    assert told == (await alice.get(f"/api/v1/messages/{told['id']}")).data
    listed = (await client.ask("rpc", method="list_messages", data={"thread_id": thread["id"]}))["rpc"]["data"]
    assert listed == [told]
    assert (await client.ask("rpc", method="get_me", data=None))["rpc"]["data"]["email"] == "alice@rpotential.ai"


async def test_rpc_with_a_key_is_done_once(client: RawClient, thread: Any) -> None:
    data = {"thread_id": thread["id"], "content": "once", "idempotency_key": "k"}
    first = await client.ask("rpc", method="create_message", data=data)
    again = await client.ask("rpc", method="create_message", data=data)
    assert first["rpc"] == again["rpc"]
    other = await client.ask("rpc", method="create_message", data=data | {"content": "other"})
    problem = orjson.loads(other["error"]["message"])
    assert (other["error"]["code"], problem["code"]) == (107, "idempotency_key_reused")


async def test_rpc_with_a_version(client: RawClient, thread: Any) -> None:
    data = {"id": thread["id"], "title": "New", "if_version": 7}
    error = (await client.ask("rpc", method="update_thread", data=data))["error"]
    assert (error["code"], orjson.loads(error["message"])["code"]) == (107, "stale_version")
    assert "rpc" in await client.ask("rpc", method="update_thread", data=data | {"if_version": thread["version"]})


@pytest.mark.parametrize(
    ("body", "code", "problem"),
    [
        ({"method": "create_message", "data": {"content": "x"}}, 107, "validation_failed"),
        ({"method": "create_message", "data": {"thread_id": "THREAD", "content": 5}}, 107, "validation_failed"),
        ({"method": "create_message", "data": {"thread_id": "THREAD", "content": "\x00"}}, 107, "validation_failed"),
        ({"method": "create_message", "data": {"thread_id": "THREAD", "nonsense": 1}}, 107, "validation_failed"),
        ({"method": "create_message", "data": {"thread_id": new_id(), "content": "x"}}, 102, "not_found"),
        ({"method": "create_message", "data": [1]}, 107, "validation_failed"),
        ({"method": "create_message", "data": "text"}, 107, "validation_failed"),
        ({"method": "get_me", "data": {"idempotency_key": 5}}, 107, "validation_failed"),
        ({"method": "get_me", "data": {"idempotency_key": ""}}, 107, "validation_failed"),
        ({"method": "get_me", "data": {"if_version": "1"}}, 107, "validation_failed"),
        ({"method": "get_me", "data": {"if_version": True}}, 107, "validation_failed"),
        (
            {"method": "update_thread", "data": {"id": "THREAD", "title": "t", "if_version": 2**63}},
            107,
            "stale_version",
        ),
        ({"method": "mark_read", "data": {"thread_id": "THREAD", "offset": 2**63}}, 107, "validation_failed"),
        ({"method": "mark_read", "data": {"thread_id": "THREAD", "offset": -1}}, 107, "validation_failed"),
        ({"method": "create_user", "data": {"email": "x@y.zz", "name": "X"}}, 103, "forbidden"),
        ({"method": "list_threads", "data": {"cursor": "x"}}, 107, "validation_failed"),
        ({"method": "list_messages", "data": {"thread_id": "THREAD", "limit": 10**30}}, 107, "malformed"),
        ({"method": "list_messages", "data": {"thread_id": "THREAD", "around": new_id()}}, 102, "not_found"),
        ({"method": "get_user", "data": {"id": new_id()}}, 102, "not_found"),
        ({"method": "get_message", "data": {"id": "x" * 1000}}, 107, "validation_failed"),
    ],
)
async def test_rpcs_that_are_refused(
    client: RawClient, thread: Any, body: dict[str, Any], code: int, problem: str
) -> None:
    data = body["data"]
    if isinstance(data, dict):
        data = {name: thread["id"] if value == "THREAD" else value for name, value in data.items()}
    error = (await client.ask("rpc", method=body["method"], data=data))["error"]
    told = orjson.loads(error["message"])
    assert (error["code"], told["code"]) == (code, problem)
    assert told["type"].startswith("https://")
    assert "temporary" not in error


@pytest.mark.parametrize("method", ["nonsense", "", None, 5, ["get_me"], {"a": 1}, "x" * 500, "_private"])
async def test_methods_that_are_none(client: RawClient, method: Any) -> None:
    code, message = await client.error("rpc", method=method)
    assert code == 104
    assert message.startswith("method not found")
    assert len(message) < 150


async def test_a_verb_that_is_none(client: RawClient) -> None:
    assert await client.error("dance") == (104, "method not found: dance")
    await client.send({"id": 9})
    assert (await client.reply(9))["error"] == {"code": 104, "message": "method not found: none"}


async def test_a_send_is_not_answered(client: RawClient) -> None:
    await client.send({"send": {"data": 1}}, {"id": 7, "send": {}})
    assert (await client.ask("ping"))["ping"] == {}
    assert client.inbox == []


@pytest.mark.parametrize("body", [5, None, [], "text", True])
@pytest.mark.parametrize("verb", ["connect", "subscribe", "rpc", "ping", "presence"])
async def test_bodies_that_are_none(client: RawClient, verb: str, body: Any) -> None:
    await client.send({"id": 8, verb: body})
    assert (await client.reply(8))["error"] == {"code": 107, "message": f"bad request: `{verb}` must be an object"}


# Channels


@pytest.mark.parametrize("verb", ["subscribe", "history", "publish", "unsubscribe"])
@pytest.mark.parametrize(
    ("channel", "code"),
    [
        ("news", 102), ("thread:", 102), ("thread:nonsense", 102), ("user:" + NOBODY, 103), (":" + NOBODY, 102),
        ("thread:" + NOBODY.upper(), 102), ("thread:" + NOBODY + ":x", 102), ("thread:" + NOBODY + "\n", 102),
        ("", 107), (None, 107), (5, 107), (["thread:x"], 107), ("thread:" + "x" * 300, 107),
    ],
)  # fmt: skip
async def test_channels_that_are_none(client: RawClient, verb: str, channel: Any, code: int) -> None:
    assert (await client.error(verb, channel=channel, data={"content": "x"}))[0] == code


@pytest.mark.parametrize("verb", ["subscribe", "history"])
async def test_a_thread_of_others_is_not_there(dial: Dial, bob: Client, thread: Any, verb: str) -> None:
    """Nothing in the answer tells it from one that does not exist."""
    client = await dial(bob)
    there, not_there = thread["id"], new_id()
    code, message = await client.error(verb, channel=f"thread:{there}")
    absent = await client.error(verb, channel=f"thread:{not_there}")
    assert (code, message.replace(there, not_there)) == absent
    assert code == 102


async def test_publishing_to_others_is_not_found(dial: Dial, bob: Client, thread: Any, channel: str) -> None:
    client = await dial(bob)
    answers = []
    for thread_id in (thread["id"], new_id()):
        code, message = await client.error("publish", channel=f"thread:{thread_id}", data={"content": "x"})
        problem = orjson.loads(message)
        answers.append((code, problem["code"], problem["detail"].replace(thread_id, "…"), problem["status"]))
    assert answers[0] == answers[1]


async def test_a_viewer_reads_along_but_does_not_write(dial: Dial, alice: Client, bob: Client) -> None:
    him = await bob.me()
    thread = await alice.thread(members=[{"user_id": him["id"], "role": "VIEWER"}])
    client = await dial(bob)
    await client.subscribe(thread["id"])
    code, message = await client.error("publish", channel=f"thread:{thread['id']}", data={"content": "x"})
    assert (code, orjson.loads(message)["code"]) == (103, "not_a_writer")
    await alice.say(thread)
    assert (await client.push())["pub"]["offset"] == 3


async def test_subscribing_twice(client: RawClient, channel: str) -> None:
    await client.ask("subscribe", channel=channel)
    assert await client.error("subscribe", channel=channel) == (105, "already subscribed")
    await client.ask("unsubscribe", channel=channel)
    assert "subscribe" in await client.ask("subscribe", channel=channel)


async def test_a_subscription_that_was_refused_may_be_tried_again(
    dial: Dial, alice: Client, bob: Client, channel: str, thread: Any
) -> None:
    client = await dial(bob)
    assert (await client.error("subscribe", channel=channel))[0] == 102
    await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=(await bob.me())["id"])
    assert "subscribe" in await client.ask("subscribe", channel=channel)


async def test_leaving_what_one_is_not_in(client: RawClient, channel: str) -> None:
    assert (await client.ask("unsubscribe", channel=channel))["unsubscribe"] == {}


async def test_in_and_out_and_in_again_at_once(client: RawClient, alice: Client, thread: Any, channel: str) -> None:
    """Three commands in one frame: the last subscription holds, and gets every event once."""
    await alice.say(thread, "before")
    position = {"recover": True, "epoch": "", "offset": 0}
    for _ in range(10):
        commands = [
            client.command("subscribe", channel=channel),
            client.command("unsubscribe", channel=channel),
            client.command("subscribe", channel=channel, **position),
            client.command("publish", channel=channel, data={"content": "live"}),
        ]
        await client.send(*commands)
        numbers = {command["id"] for command in commands}
        seen: list[int] = []
        head = -1
        while numbers or not seen or seen[-1] < head + 1:
            message = await client.next()
            numbers.discard(message.get("id"))
            assert "error" not in message
            if message.get("id") == commands[2]["id"]:
                head = message["subscribe"]["offset"]
                seen = [item["offset"] for item in message["subscribe"]["publications"]]
            elif "push" in message:
                assert head >= 0, "pushed before the subscription was answered"
                seen.append(message["push"]["pub"]["offset"])
            if head >= 0 and seen and seen[-1] > head:
                break
        assert seen == list(range(1, len(seen) + 1))
        assert "unsubscribe" in await client.ask("unsubscribe", channel=channel)
        client.inbox.clear()


async def test_too_many_channels(client: RawClient, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHANNELS_PER_CONNECTION", 3)
    threads = [(await alice.thread())["id"] for _ in range(4)]
    for thread_id in threads[:3]:
        await client.subscribe(thread_id)
    code, message = await client.error("subscribe", channel=f"thread:{threads[3]}")
    assert (code, message) == (106, "limit exceeded: 3 channels")
    await client.ask("unsubscribe", channel=f"thread:{threads[0]}")
    assert "epoch" in await client.subscribe(threads[3])


async def test_the_limit_of_channels(client: RawClient, alice: Client) -> None:
    threads = [(await alice.thread())["id"] for _ in range(limits.CHANNELS_PER_CONNECTION + 1)]
    commands = [client.command("subscribe", channel=f"thread:{thread_id}") for thread_id in threads]
    await client.send(*commands)
    answers = [await client.reply(command["id"]) for command in commands]
    assert ["error" in answer for answer in answers] == [False] * 128 + [True]
    assert answers[-1]["error"]["code"] == 106
