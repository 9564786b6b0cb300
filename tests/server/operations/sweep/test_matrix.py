"""The matrix of `matrix.py`, by REST and by RPC: who is refused and changes nothing by it, and who is not."""

import re
from operator import attrgetter
from typing import Any

import orjson
import pytest

from server.api import operations
from tests.realtime_client import raw_client
from tests.server.operations.sweep.matrix import FIELDS, LINES, Asked, Line, fields_with_ids
from tests.server.operations.sweep.people import PEOPLE, Cast
from tests.server.operations.sweep.requests import WITHOUT_A_PROVIDER, World, check_problem
from tests.server.operations.sweep.worlds import Worlds
from tests.serving import Answer, Client

pytestmark = pytest.mark.asyncio(loop_scope="package")

each = pytest.mark.parametrize("line", LINES, ids=attrgetter("name"))
OUTSIDERS = ("stranger", "former", "assistant")
WAS_THERE = ("list_notifications", "list_own_events")
"""A former member goes on knowing that they were one."""


async def test_every_operation_has_its_line() -> None:
    needed = {operation.name for operation in operations.ALL} - WITHOUT_A_PROVIDER
    needed |= {f"{operation.name}.{field}" for operation in operations.ALL for field in fields_with_ids(operation)}
    told = [line.name for line in LINES]
    assert sorted(needed - set(told)) == [], "lines that are missing in matrix.py"
    assert sorted(set(told) - needed) == [], "lines of nothing"
    assert len(set(told)) == len(told)
    assert {name for name in told if "." in name} == FIELDS.keys()
    assert len(PEOPLE) == len(set(PEOPLE))


@each
async def test_who_is_refused(line: Line, worlds: Worlds, cast: Cast) -> None:
    """By RPC with the same problem; what they asked about stays as it is."""
    world = await worlds.new(line.operation)
    people = await cast.of(world, line.operation)
    before = await standing(world)
    for person, who in people.items():
        if (expected := line.statuses[person]) >= 400:
            asked = await line.asked(world, who)
            problems = [
                timeless(check_problem(await send(world, who, line, method, asked), expected))
                for method in line.operation.methods
            ]
            if person != "nobody":
                by_rpc = orjson.loads((await call(world, who, line, asked))["error"]["message"])
                assert problems == [timeless(by_rpc)] * len(problems), person
    assert await standing(world) == before


@each
async def test_who_is_let_in(line: Line, worlds: Worlds, cast: Cast) -> None:
    """Whoever is no member is told nothing of the thread, whatever they may ask."""
    for person in PEOPLE:
        if (expected := line.statuses[person]) < 400:
            for method in line.operation.methods:
                world = await worlds.of(person, line.operation, names_something=line.names_something)
                who = (await cast.of(world, line.operation))[person]
                answer = await send(world, who, line, method, await line.asked(world, who))
                assert answer.status == expected, (person, answer.raw)
                if person in OUTSIDERS and line.operation.name not in WAS_THERE:
                    assert world.thread_id.encode() not in answer.raw
            if person != "nobody" and line.operation.name != "logout":
                world = await worlds.of(person, line.operation, names_something=line.names_something)
                who = (await cast.of(world, line.operation))[person]
                reply = await call(world, who, line, await line.asked(world, who))
                assert "rpc" in reply, (person, reply)


@pytest.mark.parametrize("line", [line for line in LINES if line.names_something], ids=attrgetter("name"))
async def test_what_is_foreign_looks_like_what_is_absent(line: Line, worlds: Worlds, cast: Cast) -> None:
    """Whatever conditions the request has."""
    world = await worlds.new(line.operation)
    people = await cast.of(world, line.operation)
    headers = {"If-Match": '"1"', "Idempotency-Key": "mine"}
    for person in OUTSIDERS:
        if line.statuses[person] == 404:
            who = people[person]
            foreign, absent = [await line.asked(world, who, absent=absent) for absent in (False, True)]
            for method in line.operation.methods:
                one, other = [await send(world, who, line, method, asked, headers) for asked in (foreign, absent)]
                assert without_ids(one) == without_ids(other), person


async def test_nobody_calls_anything(world: World) -> None:
    async with raw_client(world.server.session, world.server.websocket_url) as client:
        await client.send(client.command("rpc", method="get_health", data={}))
        assert (await client.closed()).code == 3501


async def test_signing_out_over_a_connection(world: World) -> None:
    """It closes what is open by the token, this connection too."""
    async with raw_client(world.server.session, world.server.websocket_url, world.bob.again().token) as client:
        await client.send(client.command("rpc", method="logout", data={}))
        assert (await client.closed()).code == 3500


async def send(
    world: World, who: Client, line: Line, method: str, asked: Asked, headers: dict[str, str] | None = None
) -> Answer:
    return await world.send(
        who, line.operation, method=method, path=asked.path, body=asked.fields, query=asked.fields, headers=headers
    )


async def call(world: World, who: Client, line: Line, asked: Asked) -> dict[str, Any]:
    async with raw_client(world.server.session, world.server.websocket_url, who.token) as client:
        return await client.ask("rpc", method=line.operation.name, data={**asked.parameters, **asked.fields})


async def standing(world: World) -> list[Any]:
    """Everything that a request of the matrix could have changed, but for when a key or a session was used last."""
    thread = f"/api/v1/threads/{world.thread_id}"
    asked = [
        *((world.alice, path) for path in (thread, f"{thread}/log", f"{thread}/memory", f"{thread}/readers")),
        *((world.viewer, path) for path in ("/api/v1/notifications", "/api/v1/auth/api-keys", "/api/v1/users/me")),
        (world.root, f"/api/v1/admin/sessions?user_id={world.alice_id}"),
        (world.root, f"/api/v1/admin/connections?user_id={world.alice_id}"),
    ]
    answers = [(path, (await who.get(path)).data) for who, path in asked]
    return [(path, [unused(each) for each in data] if isinstance(data, list) else data) for path, data in answers]


def unused(listed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in listed.items() if name not in ("last_used_at", "last_seen_at")}


def timeless(problem: dict[str, Any]) -> dict[str, Any]:
    return problem | {"timestamp": "", "trace_id": "", "correlation_id": ""}


def without_ids(answer: Answer) -> dict[str, Any]:
    """All of a problem that may not differ between what is foreign and what is absent."""
    problem = check_problem(answer, 404)
    told = re.sub(r"c[0-9a-z]{24}", "…", orjson.dumps(problem | {"timestamp": ""}).decode())
    return {"told": told, "headers": set(answer.headers), "length": answer.headers["Content-Length"]}
