"""Who may: every operation without a token, by a stranger, by a viewer, by somebody who is no admin."""

import re
from typing import Any

import orjson
import pytest

from actors.identifiers import new_id
from server import operations
from server.registry import Operation
from tests.realtime_client import raw_client
from tests.server.operations.sweep.requests import (
    BODIES,
    CLOSED,
    STRANGER,
    SWEPT,
    VIEWER,
    WITH_BODY,
    World,
    check_problem,
    every,
)
from tests.serving import Answer, Server

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_nothing_is_forgotten() -> None:
    assert {operation.name for operation in SWEPT} == STRANGER.keys()
    assert {operation.name for operation in WITH_BODY} == BODIES.keys()
    hidden = {name for name, status in STRANGER.items() if status == 404}
    assert VIEWER.keys() == {
        name for name in hidden if re.search("/(threads|messages)/", operations.BY_NAME[name].path)
    }
    assert len(operations.BY_NAME) == len(operations.ALL)
    for operation in operations.ALL:
        assert operation.summary.endswith("."), operation.name


@every()
async def test_without_a_token(operation: Operation, world: World, server: Server) -> None:
    for method in operation.methods:
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Cookie": "rpotential_auth=nonsense"}):
            # A cookie needs an Origin where something may change; that it is no token comes after.
            sent = {**headers, "Origin": server.url}
            await world.prepare(operation)
            options: dict[str, Any] = {"json": world.body(operation)} if operation.access == "open" else {}
            url = server.url + world.path(operation)
            async with server.session.request(method, url, headers=sent, **options) as response:
                answer = Answer(response.status, response.headers, await response.read())
            if operation not in CLOSED:
                assert answer.status == 200
            else:
                assert check_problem(answer, 401)["code"] == "unauthenticated"


@every()
async def test_a_stranger(operation: Operation, world: World) -> None:
    expected = STRANGER[operation.name]
    headers = {"If-Match": '"1"', "Idempotency-Key": "mine"} if expected == 404 else {}
    for method in operation.methods:
        answer = await world.send(world.bob, operation, method=method, headers=headers)
        assert answer.status == expected, answer.raw
        if expected == 404:
            path = world.absent_path(operation)
            absent = await world.send(world.bob, operation, method=method, path=path, headers=headers)
            assert _without_ids(absent) == _without_ids(answer), "it tells whether the thing exists"


def _without_ids(answer: Answer) -> dict[str, Any]:
    """All of a problem that may not differ between what is foreign and what is absent."""
    problem = check_problem(answer, 404)
    told = re.sub(r"c[0-9a-z]{24}", "…", orjson.dumps(problem | {"timestamp": ""}).decode())
    return {"told": told, "headers": set(answer.headers), "length": answer.headers["Content-Length"]}


async def test_a_stranger_to_the_stream(world: World) -> None:
    """It is no operation, but it may not tell more than one."""
    foreign, absent = [await world.bob.get(f"/api/v1/threads/{id_}/events") for id_ in (world.thread_id, new_id())]
    assert _without_ids(foreign) == _without_ids(absent)


@every(*(operation for operation in SWEPT if operation.name in VIEWER))
async def test_a_viewer(operation: Operation, world: World) -> None:
    for method in operation.methods:
        answer = await world.send(world.viewer, operation, method=method)
        assert answer.status == VIEWER[operation.name], answer.raw


@every(*(operation for operation in CLOSED if operation.access == "admin"))
async def test_what_is_for_admins(operation: Operation, world: World) -> None:
    assert check_problem(await world.send(world.alice, operation), 403)["code"] == "forbidden"
    assert (await world.send(world.root, operation)).status == operation.status


@every(*CLOSED)
async def test_a_token_of_another_domain(operation: Operation, world: World, server: Server) -> None:
    stranger = server.client("eve", domain="example.com")
    assert check_problem(await world.send(stranger, operation), 403)["code"] == "domain_not_allowed"


@every()
async def test_the_same_over_rpc(operation: Operation, world: World, server: Server) -> None:
    """A stranger is answered the same by RPC: the same success, or the same problem."""
    data = {**world.parameters(operation), **world.query(operation), **world.body(operation)}
    bob = world.bob.again()
    async with raw_client(server.session, server.websocket_url, bob.token) as client:
        if operation.name == "logout":
            await client.send(client.command("rpc", method=operation.name, data=data))
            assert (await client.closed()).code == 3500, "it closes what is open by the token, this one too"
            return
        reply = await client.ask("rpc", method=operation.name, data=data)
    if STRANGER[operation.name] < 300:
        assert "rpc" in reply, reply
        return
    answer = await world.send(world.bob, operation, path=world.path(operation))
    by_rpc = orjson.loads(reply["error"]["message"])
    differ = ("timestamp", "trace_id")
    assert {**by_rpc, **dict.fromkeys(differ)} == {**answer.error, **dict.fromkeys(differ)}
