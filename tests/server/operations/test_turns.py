"""Who answers in a thread, and what happens when a person writes while an answer is being written."""

import asyncio
from typing import Any

import pytest

from tests.serving import Answer, Client


@pytest.fixture
async def room(alice: Client, bot: Client) -> Any:
    return await alice.thread(members=[{"user_id": (await bot.me())["id"]}])


async def answering(bot: Client, room: Any) -> str:
    opened = await bot.post(f"/api/v1/threads/{room['id']}/messages", status="STREAMING")
    assert opened.status == 201, opened.raw
    await bot.post(f"/api/v1/messages/{opened.data['id']}/append", text="I think")
    return str(opened.data["id"])


async def policy(alice: Client, room: Any, name: str) -> None:
    changed = await alice.patch(f"/api/v1/threads/{room['id']}", while_streaming=name)
    assert changed.data["while_streaming"] == name


async def write(who: Client, room: Any, **more: Any) -> Answer:
    return await who.post(f"/api/v1/threads/{room['id']}/messages", **{"content": "Wait", **more})


async def status_of(who: Client, message_id: str) -> str:
    return str((await who.get(f"/api/v1/messages/{message_id}")).data["status"])


async def test_in_parallel_everybody_writes(alice: Client, bot: Client, room: Any) -> None:
    assert room["while_streaming"] == "parallel"
    first = await answering(bot, room)
    second = await answering(bot, room)
    assert (await write(alice, room)).status == 201
    assert {await status_of(alice, first), await status_of(alice, second)} == {"STREAMING"}


async def test_people_may_have_to_wait(alice: Client, bot: Client, room: Any) -> None:
    await policy(alice, room, "reject")
    answer = await answering(bot, room)
    refused = await write(alice, room)
    assert (refused.status, refused.error["code"]) == (409, "answer_streaming")
    await bot.post(f"/api/v1/messages/{answer}/complete")
    assert (await write(alice, room)).status == 201


async def test_a_person_interrupts(alice: Client, bot: Client, room: Any) -> None:
    await policy(alice, room, "interrupt")
    answer = await answering(bot, room)
    spoken = await write(alice, room)
    assert spoken.status == 201
    stopped = (await alice.get(f"/api/v1/messages/{answer}")).data
    assert (stopped["status"], stopped["content"]) == ("INTERRUPTED", "I think")
    log = (await alice.get(f"/api/v1/threads/{room['id']}/log", limit="100")).data
    assert [event["type"] for event in log[-2:]] == ["message.completed", "message.created"]
    refused = await bot.post(f"/api/v1/messages/{answer}/append", text=", that")
    assert refused.error["code"] == "not_streaming"


async def test_answers_queue(alice: Client, bot: Client, room: Any) -> None:
    """People are heard at once; the answer to them begins when the one before has ended."""
    await policy(alice, room, "queue")
    answer = await answering(bot, room)
    assert (await write(alice, room)).status == 201
    assert await status_of(alice, answer) == "STREAMING"
    refused = await write(bot, room, content="", status="STREAMING")
    assert (refused.status, refused.error["code"]) == (409, "answer_streaming")
    await bot.post(f"/api/v1/messages/{answer}/complete")
    await answering(bot, room)


async def test_an_assistant_is_silent_while_a_person_is_in_control(alice: Client, bot: Client, room: Any) -> None:
    path = f"/api/v1/threads/{room['id']}/control"
    handed = await bot.post(path, control="human", reason="This takes a person")
    assert (handed.status, handed.data["control"]) == (200, "human")
    for body in ({"content": "but"}, {"status": "STREAMING", "content": ""}):
        refused = await write(bot, room, **body)
        assert (refused.status, refused.error["code"]) == (409, "human_in_control")
    assert (await write(alice, room)).status == 201
    assert (await alice.post(path, control="bot")).data["control"] == "bot"
    assert (await write(bot, room)).status == 201
    log = (await alice.get(f"/api/v1/threads/{room['id']}/log", limit="100")).data
    changes = [event["data"] for event in log if event["type"] == "control.changed"]
    assert changes == [
        {"control": "human", "previous": "shared", "reason": "This takes a person"},
        {"control": "bot", "previous": "human", "reason": ""},
    ]


async def test_handing_over_what_one_has_is_no_event(alice: Client, room: Any) -> None:
    path = f"/api/v1/threads/{room['id']}"
    before = (await alice.get(path)).data["offset"]
    assert (await alice.post(f"{path}/control", control="shared")).data["offset"] == before


async def test_who_may_hand_over(alice: Client, bob: Client, root: Client, room: Any) -> None:
    path = f"/api/v1/threads/{room['id']}/control"
    assert (await bob.post(path, control="bot")).status == 404
    await alice.post(f"/api/v1/threads/{room['id']}/members", user_id=(await bob.me())["id"], role="VIEWER")
    assert (await bob.post(path, control="bot")).status == 403
    assert (await root.post(path, control="bot")).status == 403
    assert (await alice.post(path, control="nobody")).status == 400


async def test_many_at_once_open_no_more_than_may_be(bot: Client, room: Any, alice: Client) -> None:
    await policy(alice, room, "queue")
    answers = await asyncio.gather(*(write(bot, room, content="", status="STREAMING") for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
