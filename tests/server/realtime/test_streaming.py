"""Messages that are written while others read: the same text for everybody, however they came by it."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from actors import limits
from actors.identifiers import new_id
from actors.resources.messages import PostMessage
from actors.threads.actor import ThreadActor
from storage.database import FILE_NAME, DatabaseOptions
from storage.journal.store import JournalStore
from tests.realtime_client import PATIENCE, RawClient, event_stream
from tests.server.realtime.conftest import Dial
from tests.server.realtime.waiting import until
from tests.serving import Client, Server, serving

pytestmark = pytest.mark.usefixtures("few_and_crowd")

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "ÄÖ", "日本", "🦊", ""]


class Reader:
    """Puts a message together from what is told, as a client does: `text[:index] + delta`."""

    def __init__(self) -> None:
        self.text = ""
        self.status = ""
        self.steps: list[tuple[int, int]] = []

    def take(self, event: dict[str, Any]) -> None:
        data = event["data"]
        if event["type"] == "message.delta":
            assert data["index"] <= len(self.text), "a hole"
            self.steps.append((data["index"], len(data["text"])))
            self.text = self.text[: data["index"]] + data["text"]
        elif event["type"] in ("message.created", "message.completed"):
            self.text, self.status = data["content"], data["status"]


async def read(client: RawClient, reader: Reader) -> None:
    while reader.status in ("", "STREAMING"):
        reader.take((await client.push())["pub"]["data"])


@pytest.fixture
async def room(alice: Client, bot: Client) -> Any:
    return await alice.thread(members=[{"user_id": (await bot.me())["id"]}])


async def begin(bot: Client, thread: Any, **more: Any) -> str:
    answer = await bot.post(f"/api/v1/threads/{thread['id']}/messages", status="STREAMING", **more)
    assert answer.status == 201, answer.raw
    assert answer.data["status"] == "STREAMING"
    return str(answer.data["id"])


async def append(bot: Client, message_id: str, text: str, **more: Any) -> Any:
    return await bot.post(f"/api/v1/messages/{message_id}/append", text=text, **more)


async def test_every_viewer_sees_the_same_text(
    server: Server, dial: Dial, alice: Client, bot: Client, room: Any
) -> None:
    """One from the start, one who joins late, one who comes back twice, one by a stream of events."""
    early, late, back, stream = Reader(), Reader(), Reader(), Reader()
    client = await dial(alice)
    await client.subscribe(room["id"])
    message_id = await begin(bot, room)
    text = ""

    async def write(count: int) -> None:
        nonlocal text
        for _ in range(count):
            word = random.choice(WORDS) + " "
            text += word
            assert (await append(bot, message_id, word)).data == {"length": len(text)}

    async def glance() -> None:
        """Come, take what is there, go without a goodbye."""
        visitor = await dial(alice)
        subscribed = await visitor.subscribe(room["id"], recover=True, offset=0, epoch="")
        for publication in subscribed["publications"]:
            back.take(publication["data"])
        back.take((await visitor.push())["pub"]["data"])
        visitor.cut()

    url = f"{server.url}/api/v1/threads/{room['id']}/events"
    async with event_stream(server.session, url, alice.token) as events:
        await write(20)
        await glance()
        joins = await dial(alice)
        await joins.subscribe(room["id"])
        await write(20)
        await glance()
        returning = await dial(alice)
        await returning.subscribe(room["id"])
        await write(20)
        done = await bot.post(f"/api/v1/messages/{message_id}/complete")
        assert (done.status, done.data["content"], done.data["status"]) == (200, text, "COMPLETE")
        await asyncio.gather(read(client, early), read(joins, late), read(returning, back))
        while stream.status != "COMPLETE":
            event = await events.next()
            assert ("id" in event) == (event["event"] != "message.delta"), "only what is logged has a cursor"
            stream.take(orjson.loads(event["data"]))
    for reader in (early, late, back, stream):
        assert (reader.text, reader.status) == (text, "COMPLETE")
    assert early.steps[0][0] == 0
    told = sum(length for _, length in early.steps)
    assert told == len(text), "whoever was there all the time is told everything once"


async def test_pieces_are_gathered_but_the_first_goes_at_once(
    dial: Dial, alice: Client, bot: Client, room: Any
) -> None:
    client = await dial(alice)
    await client.subscribe(room["id"])
    message_id = await begin(bot, room)
    await client.push()
    await append(bot, message_id, "first")
    assert (await client.push())["pub"]["data"]["data"]["text"] == "first"
    await asyncio.gather(*(append(bot, message_id, ".") for _ in range(50)))
    reader = Reader()
    reader.text = "first"
    while len(reader.text) < 55:
        reader.take((await client.push())["pub"]["data"])
    assert len(reader.steps) < 50


async def test_a_retry_is_no_second_text_and_a_gap_is_told(bot: Client, room: Any) -> None:
    message_id = await begin(bot, room)
    assert (await append(bot, message_id, "one ", index=0)).data == {"length": 4}
    assert (await append(bot, message_id, "two", index=4)).data == {"length": 7}
    assert (await append(bot, message_id, "two", index=4)).data == {"length": 7}
    for text, index in (("tow", 4), ("three", 8), ("two three", 4)):
        refused = await append(bot, message_id, text, index=index)
        assert (refused.status, refused.error["code"]) == (409, "stream_gap")
        assert "7 characters" in refused.error["detail"]
    assert (await bot.post(f"/api/v1/messages/{message_id}/complete")).data["content"] == "one two"


async def test_the_end_may_bring_other_content(bot: Client, room: Any) -> None:
    message_id = await begin(bot, room, metadata={"model": "m"})
    await append(bot, message_id, "draft")
    blocks = [{"type": "markdown", "text": "final"}]
    done = (await bot.post(f"/api/v1/messages/{message_id}/complete", content="final", blocks=blocks)).data
    assert (done["content"], done["blocks"], done["metadata"]) == ("final", blocks, {"model": "m"})


async def test_a_stop_reaches_everybody(dial: Dial, alice: Client, bot: Client, room: Any) -> None:
    agent = await dial(bot)
    await agent.subscribe(room["id"])
    message_id = await begin(bot, room)
    await append(bot, message_id, "It begins")
    stopped = await alice.post(f"/api/v1/messages/{message_id}/cancel")
    assert (stopped.status, stopped.data["status"], stopped.data["content"]) == (200, "INTERRUPTED", "It begins")
    reader = Reader()
    await read(agent, reader)
    assert (reader.text, reader.status) == ("It begins", "INTERRUPTED")
    for path, body in (("append", {"text": "more"}), ("complete", {}), ("cancel", {})):
        refused = await bot.post(f"/api/v1/messages/{message_id}/{path}", **body)
        assert (refused.status, refused.error["code"]) == (409, "not_streaming")


async def test_who_may(alice: Client, bob: Client, bot: Client, room: Any) -> None:
    message_id = await begin(bot, room)
    path = f"/api/v1/messages/{message_id}"
    bob_id = (await bob.me())["id"]
    assert (await append(bob, message_id, "x")).status == 404
    assert (await append(alice, message_id, "x")).error["code"] == "not_streaming"
    assert (await alice.post(f"{path}/complete")).status == 403
    assert (await bob.post(f"{path}/cancel")).status == 404
    await alice.post(f"/api/v1/threads/{room['id']}/members", user_id=bob_id, role="VIEWER")
    assert (await bob.post(f"{path}/cancel")).status == 403
    assert (await bot.patch(path, content="edited")).error["code"] == "message_streaming"
    assert (await bot.post(f"{path}/fail", metadata={"why": "model"})).data["status"] == "FAILED"


async def test_a_deleted_message_is_streamed_no_longer(dial: Dial, alice: Client, bot: Client, room: Any) -> None:
    client = await dial(alice)
    await client.subscribe(room["id"])
    message_id = await begin(bot, room)
    await append(bot, message_id, "secret")
    assert (await bot.delete(f"/api/v1/messages/{message_id}")).data["content"] == ""
    assert (await append(bot, message_id, "more")).error["code"] == "not_streaming"
    late = await dial(alice)
    subscribed = await late.subscribe(room["id"], recover=True, offset=0, epoch="")
    assert "secret" not in str(subscribed)
    await late.ask("ping")
    assert "secret" not in str(late.inbox)


async def test_content_has_its_limit(bot: Client, room: Any) -> None:
    message_id = await begin(bot, room)
    assert (await append(bot, message_id, "x" * limits.CONTENT_BYTES)).status == 200
    refused = await append(bot, message_id, "y")
    assert (refused.status, str(limits.CONTENT_BYTES) in refused.error["detail"]) == (413, True)
    assert (await bot.post(f"/api/v1/messages/{message_id}/complete")).data["content"] == "x" * limits.CONTENT_BYTES


async def test_an_agent_that_goes_silent(
    server: Server, dial: Dial, alice: Client, bot: Client, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STREAM_SILENT_SECONDS", 0.2)
    monkeypatch.setattr(limits, "STREAM_SAVE_SECONDS", 0.05)
    client = await dial(alice)
    await client.subscribe(room["id"])
    message_id = await begin(bot, room)
    await append(bot, message_id, "half an ans")
    reader = Reader()
    await read(client, reader)
    assert (reader.text, reader.status) == ("half an ans", "INTERRUPTED")
    assert (await alice.get(f"/api/v1/messages/{message_id}")).data["content"] == "half an ans"


async def test_progress_is_saved_and_a_restart_continues(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STREAM_SAVE_SECONDS", 0.05)
    async with serving(tmp_path / "data") as server:
        bot = server.client("bot", kind="ASSISTANT")
        thread = await bot.thread()
        message_id = await begin(bot, thread)
        await append(bot, message_id, "before the restart")

        async def saved() -> bool:
            return bool((await bot.get(f"/api/v1/messages/{message_id}")).data["content"])

        async with asyncio.timeout(PATIENCE):
            while not await saved():  # noqa: ASYNC110 - what is saved is told to nobody
                await asyncio.sleep(0.01)  # between two looks
    async with serving(tmp_path / "data") as server:
        bot = server.client("bot", kind="ASSISTANT")
        refused = await append(bot, message_id, "x", index=0)
        assert "18 characters" in refused.error["detail"]
        await append(bot, message_id, ", and after", index=18)
        done = await bot.post(f"/api/v1/messages/{message_id}/complete")
        assert done.data["content"] == "before the restart, and after"


async def test_a_reader_that_falls_behind_gets_the_text_so_far(
    server: Server, dial: Dial, alice: Client, bot: Client, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was not told is not kept for it: once it reads again it is told from the beginning."""
    client = await dial(alice)
    await client.subscribe(room["id"])
    message_id = await begin(bot, room)
    await append(bot, message_id, "seen ")
    actor = next(a for a in server.services.directory._threads.values() if isinstance(a, ThreadActor))
    connection = next(iter(actor._audience.connections))
    peer = server.services.directory._stage._actors[connection.actor_urn]
    await until(lambda: not actor._streams._clock._telling)  # type: ignore[union-attr]
    peer._blocked = True
    for word in ("not ", "told ", "of this"):
        await append(bot, message_id, word)
    await until(lambda: bool(peer._behind))
    await until(lambda: not actor._streams._clock._telling)  # type: ignore[union-attr]
    peer._on_drained()
    reader = Reader()
    while reader.text != "seen not told of this":
        reader.take((await client.push())["pub"]["data"])
    assert reader.steps[-1][0] == 0


# In one request


async def stream(
    bot: Client, thread: Any, body: Any, media: str = "application/x-ndjson", query: str = ""
) -> list[Any]:
    headers = {"Authorization": f"Bearer {bot.token}", "Content-Type": media}
    url = f"{bot.url}/api/v1/threads/{thread['id']}/messages:stream{query}"
    async with bot.session.post(url, data=body, headers=headers) as response:
        told = [orjson.loads(line) async for line in response.content]
        return [response.status, *told]


async def lines(*pieces: Any) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield orjson.dumps(piece) + b"\n"


async def test_a_message_in_one_request(alice: Client, bot: Client, room: Any) -> None:
    question = await alice.say(room, "How?")
    opening = {"open": {"parent_id": question["id"], "metadata": {"model": "m"}}}
    status, opened, ended = await stream(bot, room, lines(opening, {"text": "Like "}, {"text": "this"}))
    assert status == 201
    assert (opened["opened"]["status"], opened["opened"]["parent_id"]) == ("STREAMING", question["id"])
    assert (ended["message"]["content"], ended["message"]["status"]) == ("Like this", "COMPLETE")
    assert ended["message"]["metadata"] == {"model": "m"}
    _, _, ended = await stream(bot, room, lines({"text": "a"}, {"complete": {"content": "b"}}, {"text": "ignored"}))
    assert ended["message"]["content"] == "b"
    _, _, ended = await stream(bot, room, lines({"text": "a"}, {"fail": {}}))
    assert (ended["message"]["content"], ended["message"]["status"]) == ("a", "FAILED")


async def test_viewers_read_the_first_piece_with_the_message(dial: Dial, alice: Client, bot: Client, room: Any) -> None:
    """However large it is, and after what the message was opened with."""
    client = await dial(alice)
    await client.subscribe(room["id"])
    for first in ("Once", "x" * (limits.CONTENT_BYTES // 2)):
        _, opened, ended = await stream(bot, room, lines({"text": first}, {"text": "."}))
        told = (await client.push())["pub"]["data"]
        assert (told["type"], told["data"]["id"]) == ("message.created", opened["opened"]["id"])
        told = (await client.push())["pub"]["data"]
        assert (told["type"], told["data"]["index"]) == ("message.delta", 0)
        assert told["data"]["text"] in (first, f"{first}.")
        while told["type"] != "message.completed":
            told = (await client.push())["pub"]["data"]
        assert ended["message"]["content"] == told["data"]["content"] == f"{first}."
    opening = {"open": {"content": "So "}}
    _, _, ended = await stream(bot, room, lines(opening, {"text": "far"}))
    assert ended["message"]["content"] == "So far"
    most = "x" * limits.CONTENT_BYTES
    _, _, ended = await stream(bot, room, lines({"text": most}))
    assert ended["message"]["content"] == most
    _, _, told_no = await stream(bot, room, lines({"text": f"{most}x"}))
    assert told_no["error"]["code"] == "too_large"


EVENTS = {
    "chat completions": (
        b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'
        b'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\ndata: {"choices":[{"delta":{"content":"lo"}}]}\n\n'
        b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    ),
    "responses": (
        b'event: response.created\ndata: {"type":"response.created"}\n\n'
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hello"}\n\n'
        b'event: response.completed\ndata: {"type":"response.completed"}\n\n'
    ),
    "messages": (
        b'event: message_start\ndata: {"type":"message_start"}\n\nevent: ping\ndata: {"type":"ping"}\n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"Hello"}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
    ),
}


@pytest.mark.parametrize("api", EVENTS)
async def test_what_a_model_sends_goes_in_as_it_is(bot: Client, room: Any, api: str) -> None:
    _, _, ended = await stream(bot, room, EVENTS[api], "text/event-stream")
    assert (ended["message"]["content"], ended["message"]["status"]) == ("Hello", "COMPLETE")
    cut = EVENTS[api][:200].rpartition(b"\n\n")[0]
    _, _, ended = await stream(bot, room, cut, "text/event-stream")
    assert ended["message"]["status"] == ("INTERRUPTED" if ended["message"]["content"] else "FAILED")
    assert ended["message"]["metadata"] == {"end_reason": "cut_off"}


async def test_a_stop_ends_the_request(alice: Client, bot: Client, room: Any) -> None:
    stopped = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"text": "word"}\n'
        await stopped.wait()

    headers = {"Authorization": f"Bearer {bot.token}", "Content-Type": "application/x-ndjson"}
    url = f"{bot.url}/api/v1/threads/{room['id']}/messages:stream"
    async with asyncio.timeout(PATIENCE), bot.session.post(url, data=endless(), headers=headers) as response:
        opened = orjson.loads(await response.content.readline())["opened"]
        assert (await alice.post(f"/api/v1/messages/{opened['id']}/cancel")).status == 200
        ended = orjson.loads(await response.content.readline())["message"]
        assert (ended["id"], ended["status"]) == (opened["id"], "INTERRUPTED")
    stopped.set()


async def test_what_is_not_understood(bob: Client, bot: Client, room: Any) -> None:
    assert (await stream(bot, room, b"{}", "application/json"))[0] == 415
    assert (await stream(bob, room, lines({"text": "x"})))[0] == 404
    assert (await stream(bot, room, lines({"open": {"nonsense": 1}})))[0] == 400
    assert (await stream(bot, room, b"not json\n"))[0] == 400
    status, opened, told = await stream(bot, room, b'{"text": "good"}\n{"text": 5}\n')
    assert (status, told["error"]["code"]) == (201, "malformed")
    message = (await bot.get(f"/api/v1/messages/{opened['opened']['id']}")).data
    assert (message["status"], message["content"]) == ("FAILED", "good")
    assert message["metadata"] == {"end_reason": "malformed"}
    assert (await append(bot, message["id"], " again", index=4)).error["code"] == "not_streaming"


async def test_a_piece_that_comes_before_the_beginning_was_told(
    server: Server, alice: Client, bot: Client, room: Any, tmp_path: Path
) -> None:
    """What follows a write of another process is told a moment later than it is committed."""
    other = await alice.thread()
    store = JournalStore(DatabaseOptions(tmp_path / "data" / FILE_NAME), migrate_on_open=False)
    who = server.services.tokens.get(alice.token)
    assert who is not None
    store.open()
    post = PostMessage(identity=who, thread_id=other["id"], message_id=new_id(), content="by hand", type="USER")
    for outcome in store.apply([post]):
        assert not isinstance(outcome, Exception)
    store.close()
    message_id = await begin(bot, room)
    assert (await append(bot, message_id, "Hello")).data == {"length": 5}
    assert (await bot.post(f"/api/v1/messages/{message_id}/complete")).data["content"] == "Hello"
