"""The matrix of `transfers.py`: who gets at the bytes of a file, and who does not, by every way there is."""

from operator import attrgetter
from typing import Any

import pytest
from aiohttp import web

from actors.resources.files.processing import RecordScan
from server.api import operations
from server.auth.authentication import Authentication, BrowserRules
from server.files.routes import routes
from server.http.application import transfers_of
from tests.server.operations.sweep.people import PEOPLE, Cast
from tests.server.operations.sweep.requests import World, check_problem
from tests.server.operations.sweep.transfers import CONTENT, PREVIEW, ROUTES, WAYS, Attempt, Way, add_preview, people_of
from tests.server.operations.sweep.worlds import Worlds
from tests.serving import Answer

pytestmark = pytest.mark.asyncio(loop_scope="package")
ANEW = operations.BY_NAME["update_file"]
"""Each test has a world of its own, as for an operation that changes something."""
OUTSIDERS = ("stranger", "former", "assistant")


async def test_every_route_of_bytes_has_its_line(world: World) -> None:
    """But those that tell anyone which protocol is spoken."""
    application = web.Application()
    authentication = Authentication(world.server.services, BrowserRules("cookie", frozenset(), None))
    application.add_routes(routes(transfers_of(application, world.server.services, authentication)))
    there = {
        f"{route.method} {route.resource.canonical}"
        for route in application.router.routes()
        if route.resource is not None and route.method != "OPTIONS"
    }
    heads = {route for route in there if route.startswith("HEAD") and route.replace("HEAD", "GET", 1) in there}
    assert there - heads == set(ROUTES.values())
    assert ROUTES.keys() <= {way.name for way in WAYS}


@pytest.mark.parametrize("way", WAYS, ids=attrgetter("name"))
async def test_who_gets_at_the_bytes(way: Way, worlds: Worlds, cast: Cast) -> None:
    world = await worlds.new(ANEW)
    await add_preview(world)
    for person, who in (await people_of(world, cast, way)).items():
        answer = await Attempt(world, person, who).go(way)
        assert answer.status == way.statuses[person], (person, answer.raw)
        if answer.status >= 400:
            if way.name not in ("content.head", "tus.head"):
                check_problem(answer, answer.status)
            assert CONTENT not in answer.raw
            assert PREVIEW not in answer.raw
        elif way.gives_content:
            assert answer.raw


@pytest.mark.parametrize("way", [way for way in WAYS if way.gives_content], ids=attrgetter("name"))
async def test_what_was_refused_is_in_the_audit_log(way: Way, worlds: Worlds, cast: Cast) -> None:
    """A file of others; and one in quarantine, whoever asks."""
    world = await worlds.new(ANEW)
    await add_preview(world)
    people = await people_of(world, cast, way)
    for person in OUTSIDERS:
        await Attempt(world, person, people[person]).go(way)
    refused = {(await people[person].me())["id"] for person in OUTSIDERS}
    assert await audited(world) == refused
    await world.server.services.files.write(RecordScan(world.file_id, 1, "found", "Test.Evil"))
    for person in ("owner", "admin", "member"):
        answer = await Attempt(world, person, people[person]).go(way)
        assert (answer.status, answer.error["code"]) == (403, "file_quarantined"), person
        refused.add((await people[person].me())["id"])
    assert await audited(world) == refused


async def audited(world: World) -> set[str]:
    """Whose reading was refused."""
    path = operations.BY_NAME["list_audit"].path
    entries = (await world.root.get(path, action="read_file", target_id=world.file_id)).data
    assert all(entry["outcome"] == "refused" for entry in entries)
    return {entry["actor_id"] for entry in entries}


async def test_words_in_a_file_are_found_by_those_who_may_read_it(worlds: Worlds, cast: Cast) -> None:
    world = await worlds.new(ANEW)
    word = f"w{world.file_id}"
    await world.alice.patch(f"/api/v1/files/{world.file_id}", name=f"{word}.txt")
    found: dict[str, Any] = {}
    for person, who in (await people_of(world, cast, WAYS[0])).items():
        answer: Answer = await who.get("/api/v1/files", q=word)
        found[person] = [file["id"] for file in answer.data] if answer.status == 200 else answer.status
    mine = [world.file_id]
    assert found == {person: [] for person in PEOPLE} | {
        "nobody": 401, "key": 403, "viewer": mine, "member": mine, "owner": mine,
    }  # fmt: skip
    assert [file["id"] for file in (await world.root.get("/api/v1/files", q=word, all="true")).data] == mine
