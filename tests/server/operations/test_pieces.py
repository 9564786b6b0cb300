"""Single pieces of a message that is being written: what was acknowledged is in it, and characters are whole."""

import asyncio
import itertools
from typing import Any

import orjson
import pytest

from actors.identifiers import new_id
from tests.serving import Answer, Client, Server


@pytest.fixture
async def room(alice: Client, bot: Client) -> Any:
    return await alice.thread(members=[{"user_id": (await bot.me())["id"]}])


async def begin(bot: Client, room: Any, **more: Any) -> str:
    return str((await bot.post(f"/api/v1/threads/{room['id']}/messages", status="STREAMING", **more)).data["id"])


async def append(bot: Client, message_id: str, text: str, **more: Any) -> Answer:
    return await bot.post(f"/api/v1/messages/{message_id}/append", text=text, **more)


# The end, and what is appended at the same time

ENDS = ("cancel", "complete", "fail", "delete")


async def end(alice: Client, bot: Client, message_id: str, how: str) -> Answer:
    if how == "delete":
        return await bot.delete(f"/api/v1/messages/{message_id}")
    return await (alice if how == "cancel" else bot).post(f"/api/v1/messages/{message_id}/{how}")


@pytest.mark.parametrize("how", ENDS)
async def test_what_was_acknowledged_is_in_the_message(alice: Client, bot: Client, room: Any, how: str) -> None:
    """In flight together, in whatever order they arrive."""
    for turn in range(12):
        message_id = await begin(bot, room)
        await append(bot, message_id, "Hello")
        calls = [end(alice, bot, message_id, how), append(bot, message_id, " world")]
        answers = await asyncio.gather(*(calls if turn % 2 else reversed(calls)))
        ended, appended = answers if turn % 2 else reversed(answers)
        assert ended.status == 200, ended.raw
        kept = (await alice.get(f"/api/v1/messages/{message_id}")).data
        if appended.status == 200 and how != "delete":
            assert kept["content"] == "Hello world"
        elif how != "delete":
            assert (appended.error["code"], kept["content"]) == ("not_streaming", "Hello")


@pytest.mark.parametrize("pair", list(itertools.permutations(ENDS, 2)))
async def test_of_two_ends_one_is_taken(alice: Client, bot: Client, room: Any, pair: tuple[str, str]) -> None:
    message_id = await begin(bot, room)
    await append(bot, message_id, "Hello")
    first, piece, second = await asyncio.gather(
        end(alice, bot, message_id, pair[0]), append(bot, message_id, " world"), end(alice, bot, message_id, pair[1])
    )
    kept = (await alice.get(f"/api/v1/messages/{message_id}")).data
    taken = [how for how, answer in zip(pair, (first, second), strict=True) if answer.status == 200]
    assert taken
    assert kept["status"] != "STREAMING"
    if "delete" not in taken:
        assert len(taken) == 1
        assert kept["content"] == ("Hello world" if piece.status == 200 else "Hello")


async def test_an_end_that_is_refused_ends_nothing(alice: Client, bot: Client, room: Any) -> None:
    """What was appended meanwhile has waited, and is taken."""
    for _ in range(8):
        message_id = await begin(bot, room)
        await append(bot, message_id, "Hello")
        refused, appended = await asyncio.gather(
            alice.post(f"/api/v1/messages/{message_id}/complete"), append(bot, message_id, " world")
        )
        assert (refused.status, appended.status) == (403, 200)
        assert (await bot.post(f"/api/v1/messages/{message_id}/complete")).data["content"] == "Hello world"


# Halves of surrogate pairs


async def raw_append(bot: Client, message_id: str, text: str) -> Answer:
    """`text` as it stands in JSON."""
    headers = {"Content-Type": "application/json"}
    body = b'{"text": "%b"}' % text.encode()
    return await bot.request("POST", f"/api/v1/messages/{message_id}/append", headers=headers, data=body)


@pytest.mark.parametrize(
    ("pieces", "content"),
    [
        ([r"\ud83d", r"\ude00"], "😀"),
        ([r"a\ud83d", r"\ude00b"], "a😀b"),
        ([r"\ud83d", "", r"\ude00"], "😀"),
        ([r"\ud83d", "x"], "\ufffdx"),
        ([r"x\ude00"], "x\ufffd"),
        ([r"x\ud83d"], "x\ufffd"),
        ([r"\ud83d\ud83d", r"\ude00"], "\ufffd😀"),
        ([r"\ud83d\ude00", r"\ud83e", r"\udd8a!"], "😀🦊!"),
    ],
)
async def test_halves_are_joined_over_pieces(bot: Client, room: Any, pieces: list[str], content: str) -> None:
    message_id = await begin(bot, room)
    for piece in pieces:
        assert (await raw_append(bot, message_id, piece)).status == 200
    assert (await bot.post(f"/api/v1/messages/{message_id}/complete")).data["content"] == content
    headers = {"Content-Type": "application/x-ndjson"}
    body = b"".join(b'{"text": "%b"}\n' % piece.encode() for piece in pieces)
    written = await bot.request("POST", f"/api/v1/threads/{room['id']}/messages:stream", headers=headers, data=body)
    assert orjson.loads(written.raw.splitlines()[-1])["message"]["content"] == content


async def test_a_half_that_comes_again_is_one(bot: Client, room: Any) -> None:
    message_id = await begin(bot, room)
    assert (await append(bot, message_id, "a")).data == {"length": 1}
    headers = {"Content-Type": "application/json"}
    for _ in range(2):
        body = rb'{"text": "\ud83d", "index": 1}'
        answer = await bot.request("POST", f"/api/v1/messages/{message_id}/append", headers=headers, data=body)
        assert answer.data == {"length": 1}
    assert (await raw_append(bot, message_id, r"\ude00")).data == {"length": 2}


async def test_halves_are_taken_nowhere_else(bot: Client, room: Any) -> None:
    message_id = await begin(bot, room)
    headers = {"Content-Type": "application/json"}
    for path, body in (
        (f"/api/v1/messages/{message_id}/append", rb'{"text": "a", "index": "\ud83d"}'),
        (f"/api/v1/messages/{message_id}/append", rb'{"text": "a\ud83d'),
        (f"/api/v1/messages/{message_id}/complete", rb'{"content": "\ud83d"}'),
        (f"/api/v1/threads/{room['id']}/messages", rb'{"content": "\ud83d"}'),
    ):
        assert (await bot.request("POST", path, headers=headers, data=body)).status == 400


# A person writes while an answer is being opened


async def test_an_answer_that_is_being_opened_is_interrupted(alice: Client, bot: Client, room: Any) -> None:
    await alice.patch(f"/api/v1/threads/{room['id']}", while_streaming="interrupt")
    path = f"/api/v1/threads/{room['id']}/messages"
    for turn in range(10):
        opening, speaking = bot.post(path, status="STREAMING", content="I"), alice.post(path, content="Wait")
        opened, said = await asyncio.gather(opening, speaking)
        assert (opened.status, said.status) == (201, 201), turn
        answer = (await alice.get(f"/api/v1/messages/{opened.data['id']}")).data
        if said.data["offset"] > opened.data["offset"]:
            assert (answer["status"], answer["content"]) == ("INTERRUPTED", "I")
            assert answer["metadata"] == {"end_reason": "interrupted"}
        else:  # it answers what was said
            assert answer["status"] == "STREAMING"
            await alice.post(f"/api/v1/messages/{answer['id']}/cancel")


async def test_a_message_that_is_refused_interrupts_nobody(alice: Client, bot: Client, room: Any) -> None:
    await alice.patch(f"/api/v1/threads/{room['id']}", while_streaming="interrupt")
    path = f"/api/v1/threads/{room['id']}/messages"
    first = await alice.post(path, {"Idempotency-Key": "k"}, content="How?")
    answer = await begin(bot, room)
    assert (await alice.post(path, content="x", parent_id=new_id())).status == 404
    again = await alice.post(path, {"Idempotency-Key": "k"}, content="How?")
    assert again.data["id"] == first.data["id"], "a retry says nothing new"
    assert (await append(bot, answer, "So")).status == 200
    assert (await alice.post(path, {"Idempotency-Key": "l"}, content="Wait")).status == 201
    assert (await append(bot, answer, " far")).error["code"] == "not_streaming"
    log = (await alice.get(f"/api/v1/threads/{room['id']}/log", limit="100")).data
    assert [event["type"] for event in log[-2:]] == ["message.completed", "message.created"]


@pytest.mark.parametrize(("policy", "who", "status"), [("reject", "alice", 409), ("queue", "bot", 409)])
async def test_other_policies_see_what_is_being_opened(
    server: Server, alice: Client, bot: Client, room: Any, policy: str, who: str, status: int
) -> None:
    await alice.patch(f"/api/v1/threads/{room['id']}", while_streaming=policy)
    path = f"/api/v1/threads/{room['id']}/messages"
    second = {"content": "Wait"} if who == "alice" else {"status": "STREAMING", "content": ""}
    for _ in range(6):
        opened, other = await asyncio.gather(
            bot.post(path, status="STREAMING", content=""), (alice if who == "alice" else bot).post(path, **second)
        )
        if opened.status == 201 and other.status == 201:
            assert who == "alice"
            assert other.data["offset"] < opened.data["offset"]
        else:
            assert sorted((opened.status, other.status)) == [201, status]
        for answer in (opened, other):
            if answer.status == 201 and answer.data["status"] == "STREAMING":
                await alice.post(f"/api/v1/messages/{answer.data['id']}/cancel")


async def test_an_answer_opened_while_the_thread_is_handed_over(alice: Client, bot: Client, room: Any) -> None:
    path = f"/api/v1/threads/{room['id']}"
    for _ in range(6):
        opened, handed = await asyncio.gather(
            bot.post(f"{path}/messages", status="STREAMING", content="I"),
            alice.post(f"{path}/control", control="human"),
        )
        assert handed.status == 200
        if opened.status == 201:
            refused = await append(bot, opened.data["id"], " think")
            while refused.status == 200:  # it was faster than the hand-over
                refused = await append(bot, opened.data["id"], " think")
            assert refused.status == 409
            kept = (await alice.get(f"/api/v1/messages/{opened.data['id']}")).data
            assert kept["content"].startswith("I")
        await alice.post(f"{path}/control", control="shared")
