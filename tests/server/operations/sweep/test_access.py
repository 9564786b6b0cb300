"""Without a token, or with one of elsewhere. What those who are known may, test_matrix.py tells."""

from typing import Any

import pytest

from actors.identifiers import new_id
from server.api import operations
from server.api.registry import Operation
from tests.server.operations.sweep.requests import BODIES, CLOSED, WITH_BODY, World, check_problem, every
from tests.server.operations.sweep.test_matrix import without_ids
from tests.serving import Answer, Server

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_nothing_is_forgotten() -> None:
    assert {operation.name for operation in WITH_BODY} == BODIES.keys()
    assert len(operations.BY_NAME) == len(operations.ALL)
    for operation in operations.ALL:
        assert operation.summary.endswith("."), operation.name


@every()
@pytest.mark.changes_nothing
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


async def test_a_stranger_to_the_stream(world: World) -> None:
    """It is no operation, but it may not tell more than one."""
    foreign, absent = [await world.bob.get(f"/api/v1/threads/{id_}/events") for id_ in (world.thread_id, new_id())]
    assert without_ids(foreign) == without_ids(absent)


@every(*CLOSED)
@pytest.mark.changes_nothing
async def test_a_token_of_another_domain(operation: Operation, world: World, server: Server) -> None:
    stranger = server.client("eve", domain="example.com")
    assert check_problem(await world.send(stranger, operation), 403)["code"] == "domain_not_allowed"
