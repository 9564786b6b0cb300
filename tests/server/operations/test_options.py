"""Options of external selects: the author is asked while a person types, and is not waited for long."""

import asyncio
from typing import Any

import pytest

from actors import limits
from tests.realtime_client import RawClient, raw_client
from tests.serving import Answer, Client, Server

Json = dict[str, Any]


def option(value: str) -> Json:
    return {"text": {"type": "plain_text", "text": value}, "value": value}


SELECT = {
    "type": "actions",
    "block_id": "where",
    "elements": [
        {"type": "external_select", "action_id": "city", "min_query_length": 2, "initial_option": option("Lima")}
    ],
}
FORM = {
    "type": "form",
    "block_id": "form",
    "title": "Where?",
    "blocks": [
        {
            "type": "input",
            "block_id": "in",
            "label": {"type": "plain_text", "text": "City"},
            "element": {"type": "multi_external_select", "action_id": "cities"},
        }
    ],
}


class Room:
    def __init__(self, author: Client, person: Client, message: Json) -> None:
        self.author, self.person = author, person
        self.message_id = message["id"]
        self.path = f"/api/v1/messages/{self.message_id}/options"

    async def find(self, query: str = "", *, who: Client | None = None, **more: Any) -> Answer:
        body = {"block_id": "where", "action_id": "city", "query": query, **more}
        return await (who or self.person).post(self.path, **body)


@pytest.fixture
async def room(server: Server, alice: Client) -> Room:
    author = server.client("author-of-options", kind="ASSISTANT")
    thread = await author.thread(members=[{"user_id": (await alice.me())["id"], "role": "MEMBER"}])
    return Room(author, alice, await author.say(thread, blocks=[SELECT, FORM], metadata={"run": 7}))


async def asked(socket: RawClient) -> Json:
    while True:
        data: Json = (await socket.push())["pub"]["data"]
        if data["type"] == "options.requested":
            return dict(data["data"])


async def test_the_author_answers_while_the_person_waits(server: Server, room: Room) -> None:
    async with raw_client(server.session, server.websocket_url, room.author.token) as socket:
        finding = asyncio.create_task(room.find("ber"))
        request = await asked(socket)
        assert (request["query"], request["block_id"], request["action_id"]) == ("ber", "where", "city")
        assert (request["message_metadata"], request["user"]["name"]) == ({"run": 7}, "Alice")
        path = f"/api/v1/option-requests/{request['id']}/answer"
        assert (await room.person.post(path, options=[option("Oslo")])).status == 404, "only the author"
        bad = await room.author.post(path, options=[{"text": "Bern"}])
        assert "/options/0/value" in bad.error["errors"]
        both = [option("x")]
        assert (
            await room.author.post(path, options=both, option_groups=[{"label": both[0]["text"], "options": both}])
        ).status == 400
        assert (await room.author.post(path, options=[option("Berlin"), option("Bern")])).status == 200
        found = (await finding).data
        assert found == {"options": [option("Berlin"), option("Bern")], "option_groups": [], "answered": True}
        assert (await room.author.post(path, options=[])).status == 404, "once"
    assert len(server.services.option_requests) == 0


@pytest.mark.parametrize("answers", [True, False])
async def test_over_a_websocket(server: Server, room: Room, answers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not answers:
        monkeypatch.setattr(limits, "OPTIONS_SECONDS", 0.05)
    async with (
        raw_client(server.session, server.websocket_url, room.author.token) as author,
        raw_client(server.session, server.websocket_url, room.person.token) as person,
    ):
        person.ignores_own = True
        data = {"id": room.message_id, "block_id": "where", "action_id": "city", "query": "ber"}
        command = person.command("rpc", method="find_options", data=data)
        await person.send(command)
        request = await asked(author)
        if answers:
            await room.author.post(f"/api/v1/option-requests/{request['id']}/answer", options=[option("Bern")])
        found = (await person.reply(command["id"]))["rpc"]["data"]
    assert (found["options"], found["answered"]) == ([option("Bern" if answers else "Lima")], answers)


async def test_in_a_form(server: Server, room: Room) -> None:
    async with raw_client(server.session, server.websocket_url, room.author.token) as socket:
        finding = asyncio.create_task(room.find(block_id="in", action_id="cities"))
        request = await asked(socket)
        await room.author.post(f"/api/v1/option-requests/{request['id']}/answer", options=[])
        assert (await finding).data == {"options": [], "option_groups": [], "answered": True}


async def test_an_author_who_is_not_there_is_not_waited_for(room: Room) -> None:
    assert (await room.find("be")).data == {"options": [option("Lima")], "option_groups": [], "answered": False}


async def test_an_author_who_does_not_answer_is_not_waited_for_long(
    server: Server, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OPTIONS_SECONDS", 0.05)
    async with raw_client(server.session, server.websocket_url, room.author.token) as socket:
        assert (await room.find("be")).data["answered"] is False
        request = await asked(socket)
        late = await room.author.post(f"/api/v1/option-requests/{request['id']}/answer", options=[])
        assert late.status == 404
    assert len(server.services.option_requests) == 0


async def test_who_asks_too_much(server: Server, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OPTIONS_WAITING_OF_USER", 1)
    async with raw_client(server.session, server.websocket_url, room.author.token) as socket:
        finding = asyncio.create_task(room.find("be"))
        request = await asked(socket)
        assert (await room.find("ber")).status == 429
        await room.author.post(f"/api/v1/option-requests/{request['id']}/answer", options=[])
        assert (await finding).status == 200


async def test_what_is_no_external_select_and_who_may_not_ask(server: Server, room: Room) -> None:
    assert (await room.find("b")).error["errors"].keys() == {"/query"}
    assert (await room.find("be", action_id="town")).error["errors"].keys() == {"/action_id"}
    assert (await room.find("be", who=room.author)).status == 403
    assert (await room.find("be", who=server.client("stranger-to-options"))).status == 404
