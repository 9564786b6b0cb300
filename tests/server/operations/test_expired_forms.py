"""Forms that nobody answers in time: their author and those who could have answered are notified, once."""

import pytest

from actors import limits
from actors.resources.actions import ExpireForms
from tests.server.operations.test_actions import Json, Room, approval, entries, head, room
from tests.server.operations.test_artifact_actions import desk_of
from tests.serving import Client, Server

__all__ = ["room"]
BEFORE = 40_000_000_000_000
"""Milliseconds: after the year 3000."""
IN_TIME = {"person": {"name": "Ana"}}


async def expire(server: Server, before: int = BEFORE) -> None:
    await server.services.write(ExpireForms(before=before))


async def expired(client: Client, after: int) -> list[Json]:
    return [entry["data"] for entry in await entries(client, after) if entry["type"] == "form.expired"]


@pytest.fixture
async def asked(room: Room, server: Server) -> Room:
    """With a form that closes."""
    await expire(server)
    return await room.post(approval())


def said(room: Room) -> Json:
    return {
        "message_id": room.message["id"], "artifact_id": None, "thread_id": room.thread["id"], "block_id": "approval",
        "expires_at": "2999-01-01T00:00:00.000Z",
    }  # fmt: skip


async def test_author_and_members_hear_of_it_once(asked: Room, server: Server) -> None:
    viewer = server.client("viewer-of-forms")
    me = (await viewer.me())["id"]
    await asked.author.post(f"/api/v1/threads/{asked.thread['id']}/members", user_id=me, role="VIEWER")
    before = {client.name: await head(client) for client in (asked.author, asked.person, viewer)}
    await expire(server, before=1)
    assert await expired(asked.author, before[asked.author.name]) == [], "not before its time"
    for _ in range(2):
        await expire(server)
    for client in (asked.author, asked.person):
        assert await expired(client, before[client.name]) == [said(asked)]
    assert await expired(viewer, before[viewer.name]) == [], "who may not answer is not asked"


async def test_one_that_was_answered_is_no_news(asked: Room, server: Server) -> None:
    before = await head(asked.author)
    await asked.act("approval", state=IN_TIME)
    await expire(server)
    assert await expired(asked.author, before) == []


async def test_an_answer_that_failed_does_not_count(asked: Room, server: Server) -> None:
    before = await head(asked.author)
    action = (await asked.act("approval", state=IN_TIME)).data
    await asked.answer(action, status="failed", errors={"/state/person/name": "Who?"})
    await expire(server)
    assert await expired(asked.author, before) == [said(asked)]


@pytest.mark.parametrize("outcome", ["failed", "done"])
async def test_an_answer_counts_until_its_author_says_that_it_failed(asked: Room, server: Server, outcome: str) -> None:
    """Also where that is said after the time is over."""
    before = await head(asked.author)
    action = (await asked.act("approval", state=IN_TIME)).data
    await expire(server)
    await asked.answer(action, status=outcome)
    for _ in range(2):
        await expire(server)
    assert await expired(asked.author, before) == ([said(asked)] if outcome == "failed" else [])


@pytest.mark.parametrize("how", ["edited", "deleted", "closed", "left"])
async def test_what_is_not_asked_any_more(how: str, asked: Room, server: Server) -> None:
    before = await head(asked.person)
    thread, message = f"/api/v1/threads/{asked.thread['id']}", f"/api/v1/messages/{asked.message['id']}"
    match how:
        case "edited":
            await asked.author.patch(message, content="Never mind.", blocks=None)
        case "deleted":
            await asked.author.delete(message)
        case "closed":
            await asked.author.patch(thread, status="CLOSED")
        case "left":
            await asked.author.delete(f"{thread}/members/{(await asked.person.me())['id']}")
    await expire(server)
    assert await expired(asked.person, before) == []


async def test_an_edit_and_an_answer_may_ask_anew(asked: Room, server: Server) -> None:
    before = await head(asked.author)
    await asked.author.patch(f"/api/v1/messages/{asked.message['id']}", blocks=[{**approval(), "block_id": "second"}])
    await expire(server)
    (found,) = await expired(asked.author, before)
    assert found["block_id"] == "second"


async def test_one_that_had_expired_when_it_was_posted(room: Room, server: Server) -> None:
    before = await head(room.author)
    await room.post(approval("2020-01-01T00:00:00Z"))
    await expire(server)
    assert await expired(room.author, before) == []


async def test_a_muted_thread_and_a_crowd_are_left_alone(
    asked: Room, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {client.name: await head(client) for client in (asked.author, asked.person)}
    monkeypatch.setattr(limits, "FORM_MEMBERS", 0)
    await expire(server)
    assert await expired(asked.person, before[asked.person.name]) == []
    assert await expired(asked.author, before[asked.author.name]) == [said(asked)], "its author hears of it in any case"
    monkeypatch.undo()
    me = (await asked.person.me())["id"]
    muted = await asked.person.patch(f"/api/v1/threads/{asked.thread['id']}/members/{me}", muted=True)
    assert muted.status == 200
    await asked.post(approval())
    await expire(server)
    assert await expired(asked.person, before[asked.person.name]) == []


async def test_forms_of_artifacts(server: Server, alice: Client) -> None:
    await expire(server)
    creator = server.client("agent-of-forms", kind="ASSISTANT")
    desk = await desk_of(creator, alice, approval())
    before = await head(alice)
    await creator.patch(desk.url, title="Revised")
    await creator.patch(desk.url, merge={"blocks": None})
    await creator.post(f"{desk.url}/versions/1/restore")
    await expire(server)
    (found,) = await expired(alice, before)
    assert (found["artifact_id"], found["message_id"]) == (desk.artifact["id"], None)
    await creator.patch(desk.url, merge={"blocks": [{**approval(), "block_id": "again"}]})
    await creator.delete(desk.url)
    await expire(server)
    assert len(await expired(alice, before)) == 1
