"""Actions on the blocks of messages: what may be done, who hears of it, and what the author answers."""

import asyncio
from typing import Any

import pytest

from actors import limits
from actors.commands import Purge
from actors.resources.actions import ExpireActions
from tests.serving import Answer, Client, Server

Json = dict[str, Any]
OWN_LOG = "/api/v1/users/me/log"
OF_OTHERS = ("message_metadata", "artifact_metadata", "author", "block")
"""What a user does not take along with an action."""


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(value: str) -> Json:
    return {"text": plain(value), "value": value}


def button(action_id: str, **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(action_id), **more}


BUTTONS = {"type": "actions", "block_id": "deploy", "elements": [button("yes", value="42"), button("no")]}
CONFIRMED = {
    "type": "actions",
    "block_id": "drop",
    "elements": [
        button("go", confirm={"title": plain("?"), "text": plain("?"), "confirm": plain("y"), "deny": plain("n")})
    ],
}
NAME = {"type": "plain_text_input", "action_id": "name", "min_length": 2, "max_length": 5, "pattern": "[A-Z][a-z]+"}
FORM = {
    "type": "form",
    "block_id": "who",
    "title": "Who are you?",
    "blocks": [
        {"type": "input", "block_id": "person", "label": plain("Name"), "element": NAME},
        {
            "type": "input",
            "block_id": "age",
            "optional": True,
            "label": plain("Age"),
            "element": {
                "type": "number_input",
                "action_id": "years",
                "is_decimal_allowed": False,
                "min_value": "18",
                "max_value": "130",
            },
        },
    ],
}


class Room:
    """A thread of the author's (an assistant), with the person in it, and a message with blocks."""

    def __init__(self, author: Client, person: Client, thread: Json, message: Json) -> None:
        self.author, self.person, self.thread, self.message = author, person, thread, message
        self.path = f"/api/v1/messages/{message['id']}/actions"

    async def act(self, block_id: str, action_id: str = "", *, who: Client | None = None, **more: Any) -> Answer:
        body = {"block_id": block_id, "action_id": action_id, **more}
        return await (who or self.person).post(self.path, **body)

    async def answer(self, action: Json, *, who: Client | None = None, **more: Any) -> Answer:
        return await (who or self.author).post(f"/api/v1/actions/{action['id']}/answer", **more)

    async def post(self, *blocks: Json) -> "Room":
        message = await self.author.say(self.thread, "Please", blocks=list(blocks), metadata={"run": 7})
        assert "id" in message, message
        return Room(self.author, self.person, self.thread, message)


@pytest.fixture
async def room(server: Server, alice: Client) -> Room:
    author = server.client("agent-of-actions", kind="ASSISTANT")
    me = (await alice.me())["id"]
    thread = await author.thread(members=[{"user_id": me, "role": "MEMBER"}])
    message = await author.say(thread, "Deploy?", blocks=[BUTTONS, CONFIRMED, FORM], metadata={"run": 7})
    return Room(author, alice, thread, message)


async def entries(client: Client, after: int) -> list[Json]:
    return list((await client.get(OWN_LOG, after=str(after))).data)


async def head(client: Client) -> int:
    return int((await client.get(OWN_LOG, limit="1")).metadata["offset"])


async def test_the_author_hears_all_that_it_needs(room: Room) -> None:
    before = await head(room.author)
    acted = await room.person.post(
        room.path, headers={"X-Correlation-ID": "click-1"}, block_id="deploy", action_id="yes"
    )
    assert acted.status == 201, acted.raw
    (told,) = await entries(room.author, before)
    assert told["type"] == "action.created"
    heard = told["data"]
    assert heard == acted.data
    assert (heard["block_id"], heard["action_id"], heard["type"], heard["value"]) == ("deploy", "yes", "button", "42")
    assert (heard["message_id"], heard["message_version"]) == (room.message["id"], room.message["version"])
    assert heard["message_metadata"] == {"run": 7}
    assert heard["block"] == BUTTONS
    assert heard["thread_id"] == room.thread["id"]
    assert heard["user"]["id"] == (await room.person.me())["id"]
    assert (heard["status"], heard["correlation_id"]) == ("pending", "click-1")


async def test_the_person_sees_what_came_of_it_on_every_device(room: Room) -> None:
    before = await head(room.person)
    action = (await room.act("deploy", "yes")).data
    answered = await room.answer(action, text="On its way.")
    assert (answered.status, answered.data["status"], answered.data["text"]) == (200, "done", "On its way.")
    created, updated = await entries(room.person, before)
    assert [entry["type"] for entry in (created, updated)] == ["action.created", "action.updated"]
    assert updated["data"] == answered.data
    assert (await room.person.get(f"/api/v1/actions/{action['id']}")).data == answered.data
    assert (await room.person.get(room.path)).data == [answered.data]


async def test_the_answer_may_change_the_message_in_the_same_transaction(room: Room) -> None:
    action = (await room.act("deploy", "yes")).data
    answer = await room.answer(action, message={"content": "Deployed.", "blocks": None})
    assert answer.status == 200, answer.raw
    assert answer.data["block"] is None
    message = (await room.person.get(f"/api/v1/messages/{room.message['id']}")).data
    assert (message["content"], message["blocks"]) == ("Deployed.", None)
    again = await room.answer(action, message={"content": "Twice."})
    assert (again.status, again.error["code"]) == (409, "action_ended")
    assert (await room.person.get(f"/api/v1/messages/{room.message['id']}")).data == message


async def test_errors_of_fields(room: Room) -> None:
    action = (await room.act("who", state={"person": {"name": "Ana"}})).data
    bad = await room.answer(action, errors={"/state/person/name": "Taken."})
    assert bad.status == 400
    assert (await room.answer(action, status="failed", errors={"/name": "?"})).status == 400
    answer = await room.answer(action, status="failed", errors={"/state/person/name": "Taken."})
    assert (answer.data["status"], answer.data["errors"]) == ("failed", {"/state/person/name": "Taken."})
    assert (await room.act("who", state={"person": {"name": "Bo"}})).status == 201, "sent again, corrected"


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"block_id": "nowhere", "action_id": "yes"}, "/block_id"),
        ({"block_id": "deploy", "action_id": "perhaps"}, "/action_id"),
        ({"block_id": "deploy", "action_id": "yes", "value": "43"}, "/value"),
        ({"block_id": "deploy", "action_id": "no", "value": "x"}, "/value"),
        ({"block_id": "drop", "action_id": "go"}, "/confirmed"),
        ({"block_id": "who", "action_id": "send"}, "/action_id"),
        ({"block_id": "who", "value": 1, "state": {"person": {"name": "Ana"}}}, "/value"),
        ({"block_id": "who"}, "/state/person/name"),
        ({"block_id": "who", "state": {"person": {"name": ""}}}, "/state/person/name"),
        ({"block_id": "who", "state": {"person": {"name": "ana"}}}, "/state/person/name"),
        ({"block_id": "who", "state": {"person": {"name": "A"}}}, "/state/person/name"),
        ({"block_id": "who", "state": {"person": {"name": "Anastasia"}}}, "/state/person/name"),
        ({"block_id": "who", "state": {"person": {"name": 7}}}, "/state/person/name"),
        ({"block_id": "who", "state": {"person": {"name": "Ana", "x/y": 1}}}, "/state/person/x~1y"),
        ({"block_id": "who", "state": {"person": {"name": "Ana"}, "age": {"years": 17}}}, "/state/age/years"),
        ({"block_id": "who", "state": {"person": {"name": "Ana"}, "age": {"years": "18.5"}}}, "/state/age/years"),
        ({"block_id": "who", "state": {"person": {"name": "Ana"}, "age": {"years": "old"}}}, "/state/age/years"),
    ],
)
async def test_only_what_the_message_offers(room: Room, asked: Json, pointer: str) -> None:
    before = await head(room.author)
    answer = await room.person.post(room.path, **asked)
    assert (answer.status, answer.error["code"]) == (400, "validation_failed"), answer.raw
    assert list(answer.error["errors"]) == [pointer]
    assert await head(room.author) == before, "the author hears nothing of it"


async def test_a_confirmed_one(room: Room) -> None:
    assert (await room.act("drop", "go", confirmed=True)).status == 201


async def test_a_retry_is_answered_as_the_first_one_although_the_message_has_changed(room: Room) -> None:
    key = {"Idempotency-Key": "click"}
    first = await room.person.post(room.path, headers=key, block_id="deploy", action_id="yes")
    await room.answer(first.data, message={"content": "Deployed.", "blocks": None})
    again = await room.person.post(room.path, headers=key, block_id="deploy", action_id="yes")
    assert (again.status, again.data["id"], again.data["status"]) == (201, first.data["id"], "done")
    other = await room.person.post(room.path, headers=key, block_id="deploy", action_id="no")
    assert other.status == 422


# Approvals


def approval(expires_at: str = "2999-01-01T00:00:00Z") -> Json:
    return {**FORM, "block_id": "approval", "expires_at": expires_at}


async def test_an_approval_is_answered_once(room: Room, server: Server) -> None:
    bob = server.client("bob-of-actions")
    await room.author.post(f"/api/v1/threads/{room.thread['id']}/members", user_id=(await bob.me())["id"])
    asked = await room.post(approval())
    state = {"person": {"name": "Ana"}}
    answers = await asyncio.gather(*(asked.act("approval", state=state, who=who) for who in (room.person, bob) * 3))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 5
    assert {answer.error["code"] for answer in answers if answer.status == 409} == {"already_answered"}
    (first,) = (answer.data for answer in answers if answer.status == 201)
    await room.answer(first, status="failed", errors={"/state/person/name": "Who?"})
    again = await asked.act("approval", state=state)
    assert again.status == 201, "one that failed does not count"
    await room.answer(again.data)
    assert (await asked.act("approval", state=state)).error["code"] == "already_answered"


async def test_an_approval_is_in_the_audit_log(room: Room, server: Server) -> None:
    asked = await room.post(approval())
    action = (await asked.act("approval", state={"person": {"name": "Ana"}})).data
    root = server.client("root-of-actions", role="ADMIN")
    (entry,) = (await root.get("/api/v1/admin/audit", target_id=asked.message["id"])).data
    assert (entry["action"], entry["actor_id"]) == ("answer_approval", (await room.person.me())["id"])
    assert action["id"] in str(entry["after"])
    assert "Ana" not in str(entry)


async def test_an_approval_after_its_time(room: Room) -> None:
    asked = await room.post(approval("2020-01-01T00:00:00Z"))
    late = await asked.act("approval", state={"person": {"name": "Ana"}})
    assert (late.status, late.error["code"]) == (409, "form_expired")


# Who may


async def test_the_author_does_not_act_on_its_own_message(room: Room) -> None:
    assert (await room.act("deploy", "yes", who=room.author)).status == 403


async def test_only_the_author_answers(room: Room, server: Server) -> None:
    action = (await room.act("deploy", "yes")).data
    bob = server.client("bob-of-actions")
    await room.author.post(f"/api/v1/threads/{room.thread['id']}/members", user_id=(await bob.me())["id"])
    assert (await room.answer(action, who=room.person)).status == 403
    assert (await room.answer(action, who=bob)).status == 404, "another member does not know that it exists"
    assert (await bob.get(f"/api/v1/actions/{action['id']}")).status == 404
    assert (await bob.get(room.path)).data == []
    assert [each["id"] for each in (await room.author.get(room.path)).data] == [action["id"]]


async def test_who_has_left_the_thread_sees_nothing_of_it(room: Room) -> None:
    before = await head(room.person)
    action = (await room.act("deploy", "yes")).data
    me = (await room.person.me())["id"]
    await room.author.delete(f"/api/v1/threads/{room.thread['id']}/members/{me}")
    assert (await room.act("deploy", "yes")).status == 404
    assert (await room.person.get(f"/api/v1/actions/{action['id']}")).status == 404
    assert (await room.person.get("/api/v1/actions", role="user")).data == []
    assert (await room.answer(action)).data["status"] == "done"
    told = [entry for entry in await entries(room.person, before) if entry["type"].startswith("action")]
    assert [entry["data"] for entry in told] == [{"id": action["id"]}], "and no update"


async def test_a_retry_from_outside_the_thread_shows_nothing_of_it(room: Room) -> None:
    """An action shows its message as it is now, which may have been edited since they left."""
    body: Json = {"block_id": "deploy", "action_id": "yes", "headers": {"Idempotency-Key": "left"}}
    assert (await room.person.post(room.path, **body)).status == 201
    me = (await room.person.me())["id"]
    await room.author.delete(f"/api/v1/threads/{room.thread['id']}/members/{me}")
    assert (await room.person.post(room.path, **body)).status == 404


async def test_an_author_who_has_left_would_not_hear_of_it(room: Room) -> None:
    me, author = (await room.person.me())["id"], (await room.author.me())["id"]
    members = f"/api/v1/threads/{room.thread['id']}/members"
    assert (await room.author.patch(f"{members}/{me}", role="OWNER")).status == 200
    assert (await room.person.delete(f"{members}/{author}")).status == 200
    answer = await room.act("deploy", "yes")
    assert (answer.status, answer.error["code"]) == (409, "author_gone")


async def test_a_message_that_is_gone(room: Room) -> None:
    action = (await room.act("deploy", "yes")).data
    before = {client.name: await head(client) for client in (room.person, room.author)}
    await room.author.delete(f"/api/v1/messages/{room.message['id']}")
    answer = await room.act("deploy", "yes")
    assert (answer.status, answer.error["code"]) == (409, "message_deleted")
    assert (await room.person.get(f"/api/v1/actions/{action['id']}")).status == 404
    for client in (room.person, room.author):
        (told,) = await entries(client, before[client.name])
        assert told["type"] == "actions.deleted"
        where = {"message_id": room.message["id"], "artifact_id": None, "thread_id": room.thread["id"]}
        assert told["data"] == where


async def test_buttons_for_some(room: Room) -> None:
    somebody = (await room.author.me())["id"]
    shown = {"type": "actions", "block_id": "b", "elements": [button("go", visible_to_user_ids=[somebody])]}
    asked = await room.post(shown)
    assert list((await asked.act("b", "go")).error["errors"]) == ["/action_id"]


# Time


async def test_what_nobody_answers_expires(room: Room, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ACTION_SECONDS", 0)
    action = (await room.act("deploy", "yes")).data
    before = await head(room.person)
    assert (await server.services.write(ExpireActions())).result >= 1
    (told,) = await entries(room.person, before)
    assert (told["type"], told["data"]["status"]) == ("action.updated", "expired")
    late = await room.answer(action)
    assert (late.status, late.error["code"]) == (409, "action_ended")


async def test_ended_ones_are_kept_for_a_season_and_approvals_as_long_as_their_message(
    room: Room, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await room.post(BUTTONS, approval())
    kept = (await asked.act("approval", state={"person": {"name": "Ana"}})).data
    gone = (await asked.act("deploy", "yes")).data
    waiting = (await asked.act("deploy", "no")).data
    await room.answer(kept)
    await room.answer(gone)
    monkeypatch.setattr(limits, "ACTIONS_KEPT_SECONDS", -1)
    await server.services.write(Purge(10_000))
    there = [each["id"] for each in (await asked.person.get(asked.path)).data]
    assert there == [waiting["id"], kept["id"]]


async def test_who_clicks_on_and_on(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ACTIONS_PENDING", 2)
    assert [(await room.act("deploy", "yes")).status for _ in range(3)] == [201, 201, 409]


# Lists


async def test_what_waits_for_an_author(room: Room) -> None:
    actions = [(await room.act("deploy", "yes")).data["id"] for _ in range(3)]
    await room.answer({"id": actions[1]})
    waiting = await room.author.get("/api/v1/actions", status="pending")
    mine = [each["id"] for each in waiting.data if each["message_id"] == room.message["id"]]
    assert mine == [actions[2], actions[0]]
    first = await room.person.get(room.path, limit="2")
    rest = await room.person.get(room.path, limit="2", cursor=first.metadata["pagination"]["next_cursor"])
    assert [each["id"] for each in first.data + rest.data] == actions[::-1]


async def test_who_acted_may_take_it_along(room: Room) -> None:
    acted = (await room.act("deploy", "yes")).data
    me = (await room.person.me())["id"]
    listed = (await room.person.get(f"/api/v1/users/{me}/export")).data["actions"]
    (mine,) = (await room.person.get(listed)).data
    assert mine == {name: acted[name] for name in acted if name not in OF_OTHERS}
    theirs = (await room.author.me())["id"]
    assert (await room.author.get(f"/api/v1/users/{theirs}/export/actions")).data == []
    assert (await room.author.get(listed)).status == 403
