"""Whatever ends the request in which a message is written ends the message, at once, with its reason."""

import asyncio
import math
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from actors import limits
from actors.threads.inbox import RetireIfIdle
from tests.realtime_client import PATIENCE, event_stream
from tests.server.realtime.waiting import until
from tests.serving import Client, Server, serving


@pytest.fixture
async def room(alice: Client, bot: Client) -> Any:
    return await alice.thread(members=[{"user_id": (await bot.me())["id"]}])


class Writer:
    """A request whose body goes on until it is told otherwise."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, raw: bytes) -> None:
        self._writer.write(b"%x\r\n%b\r\n" % (len(raw), raw))

    def say(self, text: str) -> None:
        self.send(orjson.dumps({"text": text}) + b"\n")

    def raw(self, raw: bytes) -> None:
        self._writer.write(raw)

    def end(self) -> None:
        self._writer.write(b"0\r\n\r\n")

    def reset(self) -> None:
        """As a process that is killed does."""
        there = self._writer.get_extra_info("socket")
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        self._writer.close()

    async def head(self) -> int:
        """The status of the answer."""
        async with asyncio.timeout(PATIENCE):
            head = await self._reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1])

    async def line(self) -> Any:
        """The next line of the answer."""
        async with asyncio.timeout(PATIENCE):
            while not (line := await self._reader.readline()).startswith(b"{"):
                assert line, "the answer has ended"
        return orjson.loads(line)

    async def opened(self) -> str:
        assert await self.head() == 201
        return str((await self.line())["opened"]["id"])


@asynccontextmanager
async def writing(
    client: Client, room: Any, first: str | None = "Half an ans", *, media: str = "application/x-ndjson", key: str = ""
) -> AsyncIterator[Writer]:
    port = int(client.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST /api/v1/threads/{room['id']}/messages:stream HTTP/1.1\r\nHost: x\r\nContent-Type: {media}\r\n"
        f"Authorization: Bearer {key or client.token}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    request = Writer(reader, writer)
    if first is not None:
        request.say(first)
    try:
        yield request
    finally:
        request.close()


async def ended(who: Client, message_id: str) -> Any:
    """The message, once it is written no more."""
    async with asyncio.timeout(PATIENCE):
        while True:
            message = (await who.get(f"/api/v1/messages/{message_id}")).data
            if message["status"] != "STREAMING":
                return message
            await asyncio.sleep(0.01)  # between two looks


def shown(message: Any) -> tuple[str, str, str | None]:
    return message["status"], message["content"], message["metadata"].get("end_reason")


CHAT = b'data: {"choices":[{"delta":{"content":" wer"}}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_a_lost_connection_interrupts(alice: Client, bot: Client, room: Any, how: str) -> None:
    began = time.monotonic()
    async with writing(bot, room) as request:
        message_id = await request.opened()
        getattr(request, how)()
        assert shown(await ended(alice, message_id)) == ("INTERRUPTED", "Half an ans", "connection_lost")
    assert time.monotonic() - began < 5.0


async def test_a_connection_lost_while_the_message_is_opened(
    server: Server, alice: Client, bot: Client, room: Any
) -> None:
    await alice.patch(f"/api/v1/threads/{room['id']}", while_streaming="queue")

    def is_written_into() -> bool:
        thread = server.services.directory.live_thread(room["id"])
        return thread is not None and thread.is_written_into

    for delay in (0.0, 0.001, 0.002, 0.004, 0.008):
        async with writing(bot, room) as request:
            await asyncio.sleep(delay)  # somewhere between the first byte and the commit
            request.reset()
        await until(lambda: server.services.hub.size == 0 and not is_written_into())
    async with writing(bot, room) as request:
        assert await request.head() == 201, "the next agent is not kept waiting"
    listed = (await alice.get(f"/api/v1/threads/{room['id']}/messages")).data
    for message in listed:
        await ended(alice, message["id"])


async def test_a_model_that_had_ended_is_complete_whatever_comes_after(alice: Client, bot: Client, room: Any) -> None:
    async with writing(bot, room, None, media="text/event-stream") as request:
        request.send(CHAT + STOP)
        message_id = await request.opened()
        await asyncio.sleep(0.1)  # it is read
        request.reset()
        assert shown(await ended(alice, message_id)) == ("COMPLETE", " wer", None)


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b"not json\n", "malformed"), (b'{"text": 5}\n', "malformed"), (b'{"open": {}}\n', "malformed")],
)
async def test_what_cannot_be_read_fails(alice: Client, bot: Client, room: Any, raw: bytes, code: str) -> None:
    async with writing(bot, room) as request:
        message_id = await request.opened()
        request.send(raw)
        told = await request.line()
        assert told["error"]["code"] == code
        assert shown(told["message"]) == ("FAILED", "Half an ans", code)
        assert shown(await ended(alice, message_id)) == ("FAILED", "Half an ans", code)


async def test_a_body_that_is_not_http(alice: Client, bot: Client, room: Any) -> None:
    async with writing(bot, room) as request:
        message_id = await request.opened()
        request.raw(b"this is no chunk\r\n")
        assert (await request.line())["error"]["code"] == "malformed"
        assert shown(await ended(alice, message_id)) == ("FAILED", "Half an ans", "malformed")


async def test_too_long_an_answer_fails(alice: Client, bot: Client, room: Any) -> None:
    async with writing(bot, room) as request:
        message_id = await request.opened()
        request.say("x" * limits.CONTENT_BYTES)
        assert (await request.line())["error"]["code"] == "too_large"
        assert shown(await ended(alice, message_id)) == ("FAILED", "Half an ans", "too_large")


async def test_an_end_that_is_refused_fails(alice: Client, bot: Client, room: Any) -> None:
    async with writing(bot, room) as request:
        message_id = await request.opened()
        request.send(b'{"complete": {"blocks": [1]}}\n')
        assert (await request.line())["error"]["code"] == "validation_failed"
        assert (await ended(alice, message_id))["status"] == "FAILED"


# Access that ends


async def test_it_is_a_connection_that_an_admin_sees_and_ends(
    root: Client, alice: Client, bot: Client, room: Any
) -> None:
    async with writing(bot, room) as request:
        message_id = await request.opened()
        (listed,) = (await root.get("/api/v1/admin/connections")).data
        assert (listed["user_id"], listed["transport"]) == ((await bot.me())["id"], "messages_stream")
        assert (await root.delete(f"/api/v1/admin/connections/{listed['id']}")).status == 200
        assert (await request.line())["error"]["status"] == 401
        assert shown(await ended(alice, message_id)) == ("INTERRUPTED", "Half an ans", "token_expired")
    assert (await root.get("/api/v1/admin/connections")).data == []


async def test_a_revoked_key_ends_it(root: Client, alice: Client, bot: Client, room: Any) -> None:
    key = (await root.post("/api/v1/auth/api-keys", name="k", user_id=(await bot.me())["id"])).data
    async with writing(bot, room, key=key["key"]) as request:
        message_id = await request.opened()
        began = time.monotonic()
        assert (await root.delete(f"/api/v1/auth/api-keys/{key['id']}")).status == 200
        assert (await request.line())["error"]["status"] == 401
        assert (await ended(alice, message_id))["status"] == "INTERRUPTED"
        assert time.monotonic() - began < 2.0


async def test_a_deactivated_user_ends(root: Client, alice: Client, bot: Client, room: Any) -> None:
    """Also a message that is written by single requests."""
    single = await bot.post(f"/api/v1/threads/{room['id']}/messages", status="STREAMING")
    async with writing(bot, room) as request:
        message_id = await request.opened()
        bot_id = (await bot.me())["id"]
        assert (await root.patch(f"/api/v1/users/{bot_id}", status="DEACTIVATED")).status == 200
        assert (await request.line())["error"]["status"] == 401
        for ends in (message_id, single.data["id"]):
            assert (await ended(alice, ends))["status"] == "INTERRUPTED"


async def test_a_token_that_expires_ends_it(server: Server, alice: Client, bot: Client, room: Any) -> None:
    short = server.client("bot", kind="ASSISTANT", ttl_seconds=limits.TOKEN_LEEWAY_SECONDS * -1 + 2)
    async with writing(short, room) as request:
        message_id = await request.opened()
        assert (await request.line())["error"]["code"] == "token_expired"
        assert shown(await ended(alice, message_id)) == ("INTERRUPTED", "Half an ans", "token_expired")


async def test_a_body_that_comes_slowly_is_of_whom_it_is_at_its_end(root: Client, bot: Client, room: Any) -> None:
    """Of any operation."""
    key = (await root.post("/api/v1/auth/api-keys", name="k", user_id=(await bot.me())["id"])).data
    reader, writer = await asyncio.open_connection("127.0.0.1", int(bot.url.rpartition(":")[2]))
    body = b'{"content": "late"}'
    writer.write(
        f"POST /api/v1/threads/{room['id']}/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key['key']}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    writer.write(body[:5])
    await bot.request("GET", "/api/v1/users/me", headers={"Authorization": f"Bearer {key['key']}"})
    assert (await root.delete(f"/api/v1/auth/api-keys/{key['id']}")).status == 200
    writer.write(body[5:])
    assert await Writer(reader, writer).head() == 401
    writer.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("viewer", "not_a_writer"),
        ("removed", "not_a_writer"),
        ("closed", "thread_closed"),
        ("human", "human_in_control"),
    ],
)
async def test_a_right_that_ends_ends_what_rests_on_it(
    alice: Client, bot: Client, room: Any, change: str, reason: str
) -> None:
    thread, bot_id = f"/api/v1/threads/{room['id']}", (await bot.me())["id"]
    single = await bot.post(f"{thread}/messages", status="STREAMING")
    await bot.post(f"/api/v1/messages/{single.data['id']}/append", text="So far")
    async with writing(bot, room) as request:
        message_id = await request.opened()
        match change:
            case "viewer":
                answer = await alice.patch(f"{thread}/members/{bot_id}", role="VIEWER")
            case "removed":
                answer = await alice.delete(f"{thread}/members/{bot_id}")
            case "closed":
                answer = await alice.patch(thread, status="CLOSED")
            case _:
                answer = await alice.post(f"{thread}/control", control="human")
        assert answer.status == 200, answer.raw
        await request.line()
        assert shown(await ended(alice, message_id)) == ("INTERRUPTED", "Half an ans", reason)
        assert shown(await ended(alice, single.data["id"])) == ("INTERRUPTED", "So far", reason)
        refused = await bot.post(f"/api/v1/messages/{single.data['id']}/append", text=", and more")
        assert refused.status in (403, 404, 409)


async def test_one_that_has_to_wait_for_another_is_refused_before_it_says_anything(
    alice: Client, bot: Client, room: Any
) -> None:
    thread = f"/api/v1/threads/{room['id']}"
    await alice.patch(thread, while_streaming="queue")
    await bot.post(f"{thread}/messages", status="STREAMING")
    async with writing(bot, room, None) as request:
        assert await request.head() == 409


async def test_a_deleted_thread_ends_it(alice: Client, bot: Client, room: Any) -> None:
    async with writing(bot, room) as request:
        await request.opened()
        assert (await alice.delete(f"/api/v1/threads/{room['id']}")).status == 200
        assert (await request.line()) == {"message": None}


async def test_a_deleted_message_ends_it(alice: Client, bot: Client, room: Any) -> None:
    async with writing(bot, room) as request:
        message_id = await request.opened()
        assert (await alice.delete(f"/api/v1/messages/{message_id}")).status == 200
        assert (await request.line())["message"]["content"] == ""


async def test_a_server_that_stops_ends_it(tmp_path: Any) -> None:
    async with serving(tmp_path / "data") as server:
        bot = server.client("bot", kind="ASSISTANT")
        room = await bot.thread()
        single = await bot.post(f"/api/v1/threads/{room['id']}/messages", status="STREAMING")
        await bot.post(f"/api/v1/messages/{single.data['id']}/append", text="shown, and not saved yet")
        port = int(server.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"POST /api/v1/threads/{room['id']}/messages:stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            f"Content-Type: application/x-ndjson\r\nAuthorization: Bearer {bot.token}\r\n\r\n".encode()
        )
        request = Writer(reader, writer)
        request.say("Half an ans")
        message_id = await request.opened()
    assert (await request.line())["error"]["code"] == "shutting_down"
    request.close()
    async with serving(tmp_path / "data") as server:
        bot = server.client("bot", kind="ASSISTANT")
        message = (await bot.get(f"/api/v1/messages/{message_id}")).data
        assert shown(message) == ("INTERRUPTED", "Half an ans", "shutting_down")
        kept = (await bot.get(f"/api/v1/messages/{single.data['id']}")).data
        assert (kept["status"], kept["content"]) == ("STREAMING", "shown, and not saved yet")


# Before anything is read


async def test_rights_come_before_the_body(alice: Client, bob: Client, bot: Client, root: Client, room: Any) -> None:
    async with writing(bob, room, None) as request:
        assert await request.head() == 404
    read_only = await root.post("/api/v1/auth/api-keys", name="r", user_id=(await bot.me())["id"], scopes=["read"])
    async with writing(bot, room, None, key=read_only.data["key"]) as request:
        assert await request.head() == 403
    await alice.post(f"/api/v1/threads/{room['id']}/control", control="human")
    async with writing(bot, room, None) as request:
        assert await request.head() == 409
    await alice.patch(f"/api/v1/threads/{room['id']}", status="CLOSED")
    async with writing(bot, room, None) as request:
        assert await request.head() == 409


async def test_the_first_piece_comes_within_seconds(
    server: Server, bot: Client, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STREAM_FIRST_PIECE_SECONDS", 0.05)
    async with writing(bot, room, None) as request:
        request.send(b"\n\n\n")
        assert await request.head() == 400
    await until(lambda: server.services.hub.size == 0)


async def test_they_count_among_the_connections_of_a_user(tmp_path: Any) -> None:
    async with serving(tmp_path / "data", RATE_LIMITS="on", MAX_CONNECTIONS_PER_USER="2") as server:
        bot = server.client("bot", kind="ASSISTANT")
        room = await bot.thread()
        async with writing(bot, room) as first, writing(bot, room) as second:
            await first.opened()
            await second.opened()
            async with writing(bot, room, None) as third:
                assert await third.head() == 429
        await until(lambda: server.services.hub.size == 0)


# Restarts


async def test_viewers_and_server_meet_again_after_a_crash(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A viewer has seen words that were not saved: coming back it is told what there is, and soon that it has ended."""
    monkeypatch.setattr(limits, "STREAM_RESUME_SECONDS", 0.2)
    monkeypatch.setattr(limits, "STREAM_SAVE_SECONDS", 0.1)
    async with serving(tmp_path / "data") as server:
        bot = server.client("bot", kind="ASSISTANT")
        room = await bot.thread()
        opened = await bot.post(f"/api/v1/threads/{room['id']}/messages", status="STREAMING")
        message_id = opened.data["id"]
        actor = server.services.directory.live_thread(room["id"])
        assert actor is not None
        monkeypatch.setattr(actor, "save_progress", lambda: None)
        monkeypatch.setattr(limits, "STREAM_SAVE_SECONDS", 60.0)
        await bot.post(f"/api/v1/messages/{message_id}/append", text="seen, and lost")
        monkeypatch.setattr(limits, "STREAM_SAVE_SECONDS", 0.1)
    async with serving(tmp_path / "data") as server:
        bot = server.client("bot", kind="ASSISTANT")
        url = f"{server.url}/api/v1/threads/{room['id']}/events"
        async with event_stream(server.session, url, bot.token) as stream:
            text, told = "seen, and lost", []
            while not told or told[-1]["type"] != "message.completed":
                event = orjson.loads((await stream.next())["data"])
                told.append(event)
                if event["type"] == "message.delta":
                    text = text[: event["data"]["index"]] + event["data"]["text"]
                    assert text == "", "what the server has"
        assert shown(told[-1]["data"]) == ("INTERRUPTED", "", "server_restarted")
        assert "message.delta" in {event["type"] for event in told}, "at once, and not with the end only"


async def test_what_nobody_looks_at_ends_after_a_restart_too(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STREAM_RESUME_SECONDS", 0.1)
    monkeypatch.setattr(limits, "STREAM_SAVE_SECONDS", 0.05)
    async with serving(tmp_path / "data") as server:
        bot = server.client("bot", kind="ASSISTANT")
        opened = await bot.post(f"/api/v1/threads/{(await bot.thread())['id']}/messages", status="STREAMING")
    async with serving(tmp_path / "data") as server:
        bot = server.client("bot", kind="ASSISTANT")
        assert shown(await ended(bot, opened.data["id"])) == ("INTERRUPTED", "", "server_restarted")


async def test_a_thread_that_rests_before_the_first_word(server: Server, alice: Client, bot: Client, room: Any) -> None:
    """Its actor ends where nothing happens in it for long, or where many others are needed."""
    directory = server.services.directory
    async with writing(bot, room, None) as request:
        await until(lambda: any(client.transport == "messages_stream" for client in server.services.hub.clients))
        directory.thread(room["id"]).tell(RetireIfIdle(math.inf))
        await until(lambda: not directory.is_live(room["id"]))
        request.say("Hello")
        message_id = await request.opened()
        request.end()
        assert shown(await ended(alice, message_id)) == ("COMPLETE", "Hello", None)
