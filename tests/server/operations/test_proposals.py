"""Proposals over REST: made, read in hunks, accepted in whole and in part, rebased, rejected, withdrawn."""

from typing import Any

import pytest

from actors import limits
from tests.realtime_client import raw_client
from tests.server.operations.test_artifacts import REPORT, create
from tests.serving import Client, Server

ADD = {"op": "add", "path": "/sections/-", "value": {"type": "markdown", "id": "end", "text": "The end."}}
BETTER = {"op": "replace", "path": "/abstract", "value": "Sales rose fast."}
TEXT = {"op": "replace", "path": "/sections/0/text", "value": "# Sales\nThey rose fast."}


@pytest.fixture
async def url(alice: Client, thread: Any) -> str:
    artifact = await create(alice, f"/api/v1/threads/{thread['id']}/artifacts")
    return f"/api/v1/artifacts/{artifact['id']}"


async def propose(client: Client, url: str, *patch: Any, **more: Any) -> Any:
    made = await client.post(f"{url}/proposals", patch=list(patch or (BETTER, TEXT, ADD)), **more)
    assert made.status == 201, made.raw
    assert made.headers["Location"] == f"{url}/proposals/{made.data['id']}"
    return made.data


async def test_all_of_it_is_the_patch(alice: Client, bob: Client, url: str) -> None:
    proposal = await propose(bob, url, comment="Please", model="m-1")
    assert (proposal["status"], proposal["base_version"], proposal["comment"]) == ("open", 1, "Please")
    assert proposal["patch"] == [BETTER, TEXT, ADD]
    assert [(hunk["number"], hunk["kind"], hunk["pointer"], hunk["standing"]) for hunk in proposal["hunks"]] == [
        (0, "value", "/abstract", "clean"),
        (1, "lines", "/sections/0/text", "clean"),
        (2, "items", "/sections", "clean"),
    ]
    assert (await alice.get(f"{url}/proposals/{proposal['id']}")).data == proposal
    accepted = (await alice.post(f"{url}/proposals/{proposal['id']}/accept")).data
    assert (accepted["status"], accepted["version"], accepted["resolved_by"]["name"]) == ("accepted", 2, "Alice")
    assert accepted["accepted_hunks"] == [0, 1, 2]
    content = (await alice.get(url)).data["content"]
    assert content["abstract"] == "Sales rose fast."
    assert content["sections"] == [
        {**REPORT["sections"][0], "text": TEXT["value"]},
        REPORT["sections"][1],
        ADD["value"],
    ]
    (version,) = [one for one in (await alice.get(f"{url}/versions")).data if one["number"] == 2]
    assert (version["author"]["name"], version["provenance"]["model"]) == ("Alice", "m-1")


async def test_some_of_it_beside_what_others_changed(alice: Client, bob: Client, url: str) -> None:
    proposal = await propose(bob, url)
    more = {"type": "markdown", "id": "first", "text": "Before all."}
    changed = [{"op": "add", "path": "/sections/0", "value": more}, {**BETTER, "value": "Sales fell."}]
    assert (await alice.patch(url, patch=changed)).status == 200
    path = f"{url}/proposals/{proposal['id']}"
    now = (await alice.get(path)).data
    assert [hunk["standing"] for hunk in now["hunks"]] == ["conflict", "clean", "clean"]
    assert now["newest_version"] == 2
    refused = await alice.post(f"{path}/accept")
    assert (refused.status, refused.error["code"]) == (409, "proposal_conflict")
    assert "Hunks 0 are in conflict" in refused.error["detail"]
    accepted = (await alice.post(f"{path}/accept", hunks=[2, 1])).data
    assert (accepted["status"], accepted["accepted_hunks"]) == ("partly_accepted", [1, 2])
    content = (await alice.get(url)).data["content"]
    assert content["abstract"] == "Sales fell."
    assert [section.get("id") for section in content["sections"]] == ["first", "intro", None, "end"]
    assert content["sections"][1]["text"] == TEXT["value"]
    again = await bob.post(f"{path}/accept", hunks=[1, 2])
    assert (again.status, again.data["version"]) == (200, 3)
    assert (await bob.post(f"{path}/reject")).error["code"] == "proposal_resolved"


async def test_what_its_type_does_not_take_is_refused(alice: Client, url: str) -> None:
    for patch, field in (
        ([{"op": "add", "path": "/x", "value": 1}], "content.x"),
        ([{"op": "remove", "path": "/missing"}], "patch.0"),
        ([{"op": "test", "path": "/abstract", "value": "Sales rose."}], "patch"),
    ):
        refused = await alice.post(f"{url}/proposals", patch=patch)
        assert (refused.status, list(refused.error["errors"])) == (400, [field])
    wide = [
        {"op": "add", "path": "/sections/1/columns/-", "value": "more"},
        {"op": "replace", "path": "/sections/1/rows", "value": [["May", 10, 1], ["June", 12.5, 2]]},
    ]
    proposal = await propose(alice, url, *wide)
    refused = await alice.post(f"{url}/proposals/{proposal['id']}/accept", hunks=[0])
    assert refused.status == 400
    assert "content.sections.1.rows.0" in refused.error["errors"], "columns without their cells"
    assert (await alice.post(f"{url}/proposals/{proposal['id']}/accept", hunks=[9])).error["errors"].keys() == {"hunks"}
    assert (await alice.post(f"{url}/proposals/{proposal['id']}/accept")).status == 200


async def test_bounds(alice: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PROPOSAL_HUNKS", 2)
    refused = await alice.post(f"{url}/proposals", patch=[BETTER, TEXT, ADD])
    assert "at most 2 places, this changes 3" in refused.error["errors"]["patch"][0]
    monkeypatch.setattr(limits, "PROPOSAL_BYTES", 20)
    refused = await alice.post(f"{url}/proposals", patch=[BETTER])
    assert "at most 20 bytes" in refused.error["errors"]["patch"][0]
    assert (await alice.post(f"{url}/proposals", patch=[BETTER], version=7)).status == 404


async def test_lists_and_events(server: Server, alice: Client, bob: Client, url: str, thread: Any) -> None:
    async with raw_client(server.session, server.websocket_url, alice.token) as socket:
        await socket.subscribe(thread["id"])
        first, second = await propose(bob, url), await propose(bob, url, BETTER)
        await alice.post(f"{url}/proposals/{first['id']}/reject", reason="Too long")
        await bob.post(f"{url}/proposals/{second['id']}/withdraw")
        events = [one["data"] for one in await socket.publications(4)]
    assert [event["type"] for event in events] == ["proposal.created"] * 2 + ["proposal.updated"] * 2
    listed = (await alice.get(f"{url}/proposals")).data
    assert [event["data"] for event in events[:1:-1]] == listed
    assert [(one["status"], one["reason"]) for one in listed] == [("withdrawn", ""), ("rejected", "Too long")]
    assert (await alice.get(f"{url}/proposals", status="rejected")).data == listed[1:]
    mine = (await bob.get(f"/api/v1/users/{(await bob.me())['id']}/export/proposals")).data
    assert [(one["id"], one["patch"]) for one in mine] == [(first["id"], first["patch"]), (second["id"], [BETTER])]
