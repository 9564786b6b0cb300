"""Actions on the blocks of artifacts: who may act, who hears of it, what the creator answers, what viewers see.

What they share with actions on messages is tested there.
"""

import asyncio
from typing import Any

import pytest

from actors import limits
from actors.commands import Purge
from actors.resources.actions import ExpireActions
from tests.realtime_client import raw_client
from tests.server.operations.test_actions import (
    BUTTONS,
    CONFIRMED,
    FORM,
    OF_OTHERS,
    Json,
    approval,
    button,
    entries,
    head,
)
from tests.server.operations.test_options import asked as request_of
from tests.serving import Answer, Client, Server

BODIES: dict[str, Json] = {
    "INSIGHT": {"summary": "Sales rose."},
    "REPORT": {"sections": [{"type": "markdown", "text": "Sales *rose*."}]},
    "DASHBOARD": {"panels": [{"type": "metric", "value": 12}]},
    "PDF": {"sections": [{"type": "markdown", "text": "Sales rose."}]},
    "REFERENCE": {"citation": "Sales, 2026"},
}
ANA = {"person": {"name": "Ana"}}


class Desk:
    """A thread of the creator's (an assistant), with the person in it, and an artifact with blocks."""

    def __init__(self, creator: Client, person: Client, thread: Json, artifact: Json) -> None:
        self.creator, self.person, self.thread, self.artifact = creator, person, thread, artifact
        self.url = f"/api/v1/artifacts/{artifact['id']}"

    async def act(self, block_id: str, action_id: str = "", *, who: Client | None = None, **more: Any) -> Answer:
        return await (who or self.person).post(f"{self.url}/actions", block_id=block_id, action_id=action_id, **more)

    async def answer(self, action: Json, *, who: Client | None = None, **more: Any) -> Answer:
        return await (who or self.creator).post(f"/api/v1/actions/{action['id']}/answer", **more)

    async def log(self) -> list[Json]:
        """Of the thread, as the person reads it."""
        return list((await self.person.get(f"/api/v1/threads/{self.thread['id']}/log", limit="100")).data)

    async def join(self, client: Client, role: str = "MEMBER") -> None:
        body = {"user_id": (await client.me())["id"], "role": role}
        added = await self.creator.post(f"/api/v1/threads/{self.thread['id']}/members", **body)
        assert added.status == 201, added.raw


async def desk_of(creator: Client, person: Client, *blocks: Json, kind: str = "REPORT") -> Desk:
    thread = await creator.thread(members=[{"user_id": (await person.me())["id"], "role": "MEMBER"}])
    made = await creator.post(
        f"/api/v1/threads/{thread['id']}/artifacts", type=kind, title="Sales", metadata={"run": 7},
        content={**BODIES[kind], "blocks": list(blocks)},
    )  # fmt: skip
    assert made.status == 201, made.raw
    return Desk(creator, person, thread, made.data)


@pytest.fixture
def creator(server: Server) -> Client:
    return server.client("agent-of-artifacts", kind="ASSISTANT")


@pytest.fixture
async def desk(creator: Client, alice: Client) -> Desk:
    return await desk_of(creator, alice, BUTTONS, CONFIRMED, FORM)


@pytest.mark.parametrize("kind", BODIES)
async def test_every_type_holds_blocks(kind: str, creator: Client, alice: Client) -> None:
    desk = await desk_of(creator, alice, BUTTONS, kind=kind)
    assert (await desk.act("deploy", "yes")).status == 201
    shown = await alice.get(f"{desk.url}/export", format="markdown")
    assert shown.status == 200


@pytest.mark.parametrize(
    ("blocks", "pointer"),
    [
        ("x", "/blocks"),
        ([{"type": "nothing"}], "/blocks/0/type"),
        ([BUTTONS, BUTTONS], "/blocks/1/block_id"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "/blocks/0/text/text"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x\x00"}}], "/blocks/0/text/text"),
    ],
)
async def test_faults_of_blocks_by_their_pointer(alice: Client, blocks: Any, pointer: str) -> None:
    content = {"summary": "x", "blocks": blocks}
    faults = (await alice.post("/api/v1/artifacts/validate", type="INSIGHT", content=content)).data["faults"]
    assert [fault["pointer"] for fault in faults] == [pointer]


async def test_what_blocks_say_is_found_and_exported(desk: Desk) -> None:
    html = await desk.person.get(f"{desk.url}/export", format="html")
    assert "Who are you?" in str(html.raw)
    found = (await desk.person.get("/api/v1/artifacts", q="Who are you", thread_id=desk.thread["id"])).data
    assert [each["id"] for each in found] == [desk.artifact["id"]]


async def test_the_creator_hears_all_that_it_needs(desk: Desk) -> None:
    before = await head(desk.creator)
    acted = await desk.person.post(
        f"{desk.url}/actions", headers={"X-Correlation-ID": "click-1"}, block_id="deploy", action_id="yes"
    )
    assert acted.status == 201, acted.raw
    (told,) = await entries(desk.creator, before)
    assert (told["type"], told["data"]) == ("action.created", acted.data)
    heard = told["data"]
    assert (heard["block_id"], heard["action_id"], heard["type"], heard["value"]) == ("deploy", "yes", "button", "42")
    assert (heard["artifact_id"], heard["artifact_version"]) == (desk.artifact["id"], 1)
    assert (heard["message_id"], heard["message_version"], heard["message_metadata"]) == (None, None, None)
    assert (heard["artifact_metadata"], heard["block"]) == ({"run": 7}, BUTTONS)
    assert heard["author"]["id"] == (await desk.creator.me())["id"]
    assert (heard["status"], heard["correlation_id"]) == ("pending", "click-1")
    waiting = (await desk.creator.get("/api/v1/actions", status="pending")).data
    assert heard["id"] in [each["id"] for each in waiting]


async def test_all_viewers_see_the_status_and_not_what_was_filled_in(desk: Desk, server: Server) -> None:
    viewer = server.client("viewer-of-actions")
    await desk.join(viewer, "VIEWER")
    action = (await desk.act("who", state=ANA)).data
    await desk.answer(action, status="failed", text="Hush.", errors={"/state/person/name": "Taken."})
    created, updated = [event for event in await desk.log() if event["type"].startswith("artifact.action")]
    assert [created["type"], updated["type"]] == ["artifact.action_created", "artifact.action_updated"]
    assert updated["data"]["status"] == "failed"
    assert updated["data"] == created["data"], "a replay has it as it is now"
    assert "Ana" not in str(updated["data"])
    assert "Hush" not in str(updated["data"])
    assert not {"state", "value", "text", "errors", "block"} & updated["data"].keys()
    assert (await viewer.get(f"{desk.url}/actions")).data == [updated["data"]]
    assert (await viewer.get(f"/api/v1/actions/{action['id']}")).status == 404
    assert (await viewer.post(f"{desk.url}/actions", block_id="deploy", action_id="yes")).status == 403
    own = (await desk.person.get(f"/api/v1/actions/{action['id']}")).data
    assert (own["text"], own["state"], own["errors"]) == ("Hush.", ANA, {"/state/person/name": "Taken."})


async def test_the_channel_of_the_artifact_has_them(desk: Desk, server: Server) -> None:
    channel = f"artifact:{desk.artifact['id']}"
    async with raw_client(server.session, server.websocket_url, desk.person.token) as socket:
        await socket.ask("subscribe", channel=channel)
        action = (await desk.act("deploy", "yes")).data
        await desk.answer(action)
        events: list[Json] = []
        while len(events) < 2:
            push = await socket.push()
            events += [push["pub"]["data"]] if push["channel"] == channel else []
    assert [(event["type"], event["data"]["status"]) for event in events] == [
        ("artifact.action_created", "pending"), ("artifact.action_updated", "done"),
    ]  # fmt: skip


async def test_a_client_that_was_away_recovers_them(
    desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    channel = f"artifact:{desk.artifact['id']}"
    async with raw_client(server.session, server.websocket_url, desk.person.token) as socket:
        begun = (await socket.ask("subscribe", channel=channel))["subscribe"]
    gone, kept = [(await desk.act("deploy", "yes")).data["id"] for _ in range(2)]
    await desk.answer({"id": gone})
    monkeypatch.setattr(limits, "ACTIONS_KEPT_SECONDS", -1)
    await server.services.write(Purge(10_000))
    position = {"recover": True, "epoch": begun["epoch"], "offset": begun["offset"]}
    async with raw_client(server.session, server.websocket_url, desk.person.token) as socket:
        again = (await socket.ask("subscribe", channel=channel, **position))["subscribe"]
    events = [publication["data"]["data"] for publication in again["publications"]]
    assert events[0] == events[2] == {"id": gone, "artifact_id": desk.artifact["id"]}
    assert (events[1]["id"], events[1]["status"]) == (kept, "pending")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"block_id": "nowhere", "action_id": "yes"}, "/block_id"),
        ({"block_id": "deploy", "action_id": "perhaps"}, "/action_id"),
        ({"block_id": "deploy", "action_id": "yes", "value": "43"}, "/value"),
        ({"block_id": "drop", "action_id": "go"}, "/confirmed"),
        ({"block_id": "who"}, "/state/person/name"),
        ({"block_id": "who", "state": {"person": {"name": "ana"}}}, "/state/person/name"),
        ({"block_id": "who", "state": {**ANA, "age": {"years": 17}}}, "/state/age/years"),
    ],
)
async def test_only_what_the_newest_version_offers(desk: Desk, asked: Json, pointer: str) -> None:
    before = await head(desk.creator)
    answer = await desk.person.post(f"{desk.url}/actions", **asked)
    assert (answer.status, answer.error["code"]) == (400, "validation_failed"), answer.raw
    assert list(answer.error["errors"]) == [pointer]
    assert await head(desk.creator) == before, "the creator hears nothing of it"
    assert (await desk.person.get(f"{desk.url}/actions")).data == []


async def test_a_later_version_offers_what_it_has(desk: Desk) -> None:
    action = (await desk.act("deploy", "yes")).data
    other = {"type": "actions", "block_id": "other", "elements": [button("go")]}
    assert (await desk.creator.patch(desk.url, merge={"blocks": [other]})).status == 200
    assert list((await desk.act("deploy", "yes")).error["errors"]) == ["/block_id"]
    acted = (await desk.act("other", "go")).data
    assert (acted["artifact_version"], acted["block"]) == (2, other)
    assert (await desk.person.get(f"/api/v1/actions/{action['id']}")).data["block"] is None


async def test_a_text_offers_nothing(creator: Client, alice: Client) -> None:
    desk = await desk_of(creator, alice)
    made = await creator.put(desk.url, content="Just words.")
    assert made.status == 200
    assert list((await desk.act("deploy", "yes")).error["errors"]) == ["/block_id"]


async def test_a_retry_is_answered_as_the_first_one_although_the_artifact_has_changed(desk: Desk) -> None:
    body: Json = {"headers": {"Idempotency-Key": "press"}, "block_id": "deploy", "action_id": "yes"}
    first = await desk.person.post(f"{desk.url}/actions", **body)
    await desk.creator.patch(desk.url, merge={"blocks": None})
    await desk.answer(first.data)
    again = await desk.person.post(f"{desk.url}/actions", **body)
    assert (again.status, again.data["id"], again.data["status"]) == (201, first.data["id"], "done")


async def test_an_approval_is_answered_once_and_audited(creator: Client, alice: Client, server: Server) -> None:
    desk = await desk_of(creator, alice, approval())
    bob = server.client("bob-of-artifacts")
    await desk.join(bob)
    answers = await asyncio.gather(*(desk.act("approval", state=ANA, who=who) for who in (alice, bob) * 3))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 5
    assert {answer.error["code"] for answer in answers if answer.status == 409} == {"already_answered"}
    (first,) = (answer.data for answer in answers if answer.status == 201)
    await desk.creator.patch(desk.url, title="Revised")
    assert (await desk.act("approval", state=ANA)).error["code"] == "already_answered", "in every version"
    root = server.client("root-of-artifacts", role="ADMIN")
    (entry,) = (await root.get("/api/v1/admin/audit", target_id=desk.artifact["id"])).data
    assert (entry["action"], entry["target_kind"]) == ("answer_approval", "artifact")
    assert first["id"] in str(entry["after"])
    assert "Ana" not in str(entry)
    late = await desk_of(creator, alice, approval("2020-01-01T00:00:00Z"))
    assert (await late.act("approval", state=ANA)).error["code"] == "form_expired"


async def test_the_creator_answers_and_does_not_act(desk: Desk, server: Server) -> None:
    bob = server.client("bob-of-artifacts")
    await desk.join(bob)
    assert (await desk.act("deploy", "yes", who=desk.creator)).status == 403
    action = (await desk.act("deploy", "yes")).data
    assert (await desk.answer(action, who=desk.person)).status == 403
    assert (await desk.answer(action, who=bob)).status == 404
    wrong = await desk.answer(action, message={"content": "There is none."})
    assert (wrong.status, list(wrong.error["errors"])) == (400, ["message"])
    assert (await desk.answer(action, text="On its way.")).data["status"] == "done"
    assert (await desk.answer(action)).error["code"] == "action_ended"


async def test_rights_are_those_of_the_thread(desk: Desk, server: Server) -> None:
    action = (await desk.act("deploy", "yes")).data
    stranger = server.client("stranger-of-artifacts")
    assert (await desk.act("deploy", "yes", who=stranger)).status == 404
    assert (await stranger.get(f"{desk.url}/actions")).status == 404
    me = (await desk.person.me())["id"]
    await desk.creator.delete(f"/api/v1/threads/{desk.thread['id']}/members/{me}")
    assert (await desk.act("deploy", "yes")).status == 404
    assert (await desk.person.get(f"/api/v1/actions/{action['id']}")).status == 404
    assert action["id"] not in [each["id"] for each in (await desk.person.get("/api/v1/actions", role="user")).data]


async def test_a_creator_who_has_left_would_not_hear_of_it(desk: Desk) -> None:
    me, creator = (await desk.person.me())["id"], (await desk.creator.me())["id"]
    members = f"/api/v1/threads/{desk.thread['id']}/members"
    assert (await desk.creator.patch(f"{members}/{me}", role="OWNER")).status == 200
    assert (await desk.person.delete(f"{members}/{creator}")).status == 200
    answer = await desk.act("deploy", "yes")
    assert (answer.status, answer.error["code"]) == (409, "author_gone")


async def test_a_deleted_artifact_takes_them_along(desk: Desk) -> None:
    action = (await desk.act("deploy", "yes")).data
    before = {client.name: await head(client) for client in (desk.person, desk.creator)}
    assert (await desk.creator.delete(desk.url)).status == 200
    assert (await desk.act("deploy", "yes")).status == 404
    assert (await desk.person.get(f"/api/v1/actions/{action['id']}")).status == 404
    where = {"message_id": None, "artifact_id": desk.artifact["id"], "thread_id": desk.thread["id"]}
    for client in (desk.person, desk.creator):
        (told,) = await entries(client, before[client.name])
        assert (told["type"], told["data"]) == ("actions.deleted", where)
    (left,) = [event["data"] for event in await desk.log() if event["type"] == "artifact.action_created"]
    assert left == {"id": action["id"], "artifact_id": desk.artifact["id"]}


async def test_what_nobody_answers_expires_for_all(
    desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(limits, "ACTION_SECONDS", 0)
    action = (await desk.act("deploy", "yes")).data
    before = await head(desk.person)
    done = await server.services.write(ExpireActions())
    assert [event.type for event in done.events] == ["artifact.action_updated"], "to be published at once"
    (told,) = await entries(desk.person, before)
    assert (told["type"], told["data"]["status"]) == ("action.updated", "expired")
    (seen,) = [event for event in await desk.log() if event["type"] == "artifact.action_updated"]
    assert (seen["data"]["status"], seen["data"]["id"]) == ("expired", action["id"])
    assert (await desk.answer(action)).error["code"] == "action_ended"


async def test_external_options_are_asked_of_the_creator(server: Server, creator: Client, alice: Client) -> None:
    first = {"text": {"type": "plain_text", "text": "Berlin"}, "value": "berlin"}
    select = {"type": "external_select", "action_id": "city", "initial_option": first}
    desk = await desk_of(creator, alice, {"type": "actions", "block_id": "b", "elements": [select]})
    path = f"{desk.url}/options"
    fallback = await alice.post(path, block_id="b", action_id="city")
    assert fallback.data == {"options": [first], "option_groups": [], "answered": False}
    assert (await creator.post(path, block_id="b", action_id="city")).status == 403
    async with raw_client(server.session, server.websocket_url, creator.token) as socket:
        asking = asyncio.ensure_future(alice.post(path, block_id="b", action_id="city", query="Ber"))
        request = await request_of(socket)
        assert (request["artifact_id"], request["message_id"]) == (desk.artifact["id"], None)
        assert (request["query"], request["artifact_metadata"]) == ("Ber", {"run": 7})
        await creator.post(f"/api/v1/option-requests/{request['id']}/answer", options=[first])
        assert (await asking).data["answered"]


async def test_who_acted_may_take_it_along(desk: Desk) -> None:
    acted = (await desk.act("deploy", "yes")).data
    me = (await desk.person.me())["id"]
    mine = (await desk.person.get(f"/api/v1/users/{me}/export/actions", limit="100")).data
    assert {name: acted[name] for name in acted if name not in OF_OTHERS} in mine
