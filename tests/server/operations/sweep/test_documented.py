"""What each operation answers is what the OpenAPI document says: success and failures, body and headers."""

from functools import partial

import pytest

from actors.identifiers import new_id
from server.api import operations
from server.api.registry import Operation
from tests.server.api_docs.references import openapi_document, resolved, schema_of, violations
from tests.server.operations.sweep.requests import POSTS, WITHOUT_A_PROVIDER, World, every
from tests.serving import Answer

pytestmark = pytest.mark.asyncio(loop_scope="package")

DOCUMENT = openapi_document()
EVERYWHERE = {"content-length", "content-type", "date", "server"}
SAID_OF_ALL = {
    "cache-control", "content-security-policy", "cross-origin-resource-policy", "referrer-policy", "set-cookie",
    "x-content-type-options", "vary",
}  # fmt: skip
"""Headers for browsers; the document tells those that a client reads."""


def check_documented(operation: Operation, method: str, answer: Answer) -> None:
    """The status is documented, and so are the headers and the body that came with it."""
    found = DOCUMENT["paths"][operation.path][method.lower()]
    assert str(answer.status) in found["responses"], (answer.status, answer.raw)
    response = resolved(DOCUMENT, found["responses"][str(answer.status)])
    told = {name.lower(): resolved(DOCUMENT, header) for name, header in response.get("headers", {}).items()}
    came = {name.lower() for name in answer.headers}
    assert {name for name, header in told.items() if header["required"]} <= came
    assert came - EVERYWHERE - SAID_OF_ALL <= told.keys()
    if "content" not in response:
        assert answer.raw == b""
        return
    content_type = answer.headers["Content-Type"].partition(";")[0]
    schema = schema_of(DOCUMENT, found, answer.status, content_type)
    assert violations(DOCUMENT, schema, answer.json) == []


@every()
async def test_a_good_request(operation: Operation, world: World) -> None:
    for method in operation.methods:
        answer = await world.send(world.who_may(operation), operation, method=method)
        assert answer.status < 400, answer.raw
        check_documented(operation, method, answer)
        if "ETag" in answer.headers and method == "GET":
            headers = {"If-None-Match": answer.headers["ETag"]}
            again = await world.send(world.who_may(operation), operation, headers=headers)
            assert again.status == 304
            check_documented(operation, method, again)


@every(*operations.ALL)
async def test_requests_that_are_refused(operation: Operation, world: World) -> None:
    client = world.who_may(operation)
    for method in operation.methods:
        send = partial(world.send, client, operation, method=method)
        query = await send(path=world.path(operation) + "?no_such=1")
        token = await send(headers={"Authorization": "Bearer nonsense"})
        condition = await send(headers={"If-Match": "nonsense"})
        field = await send(body={"no_such": 1})
        media = await client.request(method, world.path(operation), data=b"{")
        headers = {"Content-Type": "application/json"}
        broken = await client.request(method, world.path(operation), data=b"{", headers=headers)
        version = await send(headers={"If-Match": '"999999"'})
        stranger = await world.send(world.bob, operation, method=method)
        for answer in (query, token, condition, version, field, media, broken, stranger):
            check_documented(operation, method, answer)
        assert query.status == 400
        assert token.status == 401 or operation.access in ("open", "optional")
        assert condition.status == 400 or operation.name in WITHOUT_A_PROVIDER
        assert [field.status, media.status, broken.status] == [400, 415, 400] or not operation.has_body


@every(*(operation for operation in operations.ALL if "id" in " ".join(operation.path_parameters)))
@pytest.mark.changes_nothing
async def test_what_is_not_there(operation: Operation, world: World) -> None:
    for method in operation.methods:
        path = world.absent_path(operation)
        check_documented(
            operation, method, await world.send(world.who_may(operation), operation, method=method, path=path)
        )


@every(*POSTS)
async def test_a_key_that_is_used_again(operation: Operation, world: World) -> None:
    headers = {"Idempotency-Key": new_id()}
    good = (200, 201, 202)
    for body, expected in ((None, good), (None, (*good, 401, 422)), ({}, (*good, 400, 401, 404, 422))):
        answer = await world.send(world.who_may(operation), operation, body=body, headers=headers)
        check_documented(operation, "POST", answer)
        assert answer.status in expected
