"""What a good request of each operation is answered: envelope, declared status and model, HEAD, 304, retries."""

import re
from typing import Any

import pytest
from pydantic import TypeAdapter

from actors.identifiers import is_id, new_id
from server.api import operations
from server.api.registry import Operation
from tests.server.operations.sweep.requests import (
    NOT_KEPT,
    PAGED,
    PATCHES,
    POSTS,
    READS,
    UNVERSIONED,
    WITH_BODY,
    World,
    check_problem,
    every,
)
from tests.serving import Answer, Server

pytestmark = pytest.mark.asyncio(loop_scope="package")

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LISTS = (
    "list_artifact_data",
    "list_exports",
    "list_artifact_shares",
    "list_push_subscriptions",
    "list_revisions",
)
"""Lists that are short enough to come whole."""
NO_PLACE = ("add_hold", "create_sign_in_link", "share_artifact", "toggle_reaction")
"""A secret that is stored nowhere; and one that may as well take something away."""


def check_envelope(answer: Answer, operation: Operation) -> None:
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json.keys() == {"success", "data", "metadata"}
    assert answer.json["success"] is True
    metadata = answer.metadata
    assert TIME.fullmatch(metadata["timestamp"])
    assert metadata["version"] == "1.0"
    assert metadata["correlation_id"] == answer.headers["X-Correlation-ID"]
    assert ("pagination" in metadata) == operation.paged
    if operation.paged:
        assert metadata["pagination"].keys() == {"limit", "next_cursor", "has_more"}
        assert metadata["pagination"]["limit"] == operation.request.model_fields["limit"].default


@every()
async def test_a_good_request(operation: Operation, world: World) -> None:
    answer = await world.send(world.who_may(operation), operation, headers={"X-Correlation-ID": "asked-1"})
    assert answer.status == operation.status, answer.raw
    assert answer.headers["X-Correlation-ID"] == "asked-1"
    check_envelope(answer, operation)
    is_list = operation.paged or operation.name in LISTS
    declared: Any = list[operation.response] if is_list else operation.response  # type: ignore[name-defined]
    TypeAdapter(declared).validate_python(answer.data, strict=True)
    if operation.status == 201 and "Location" in answer.headers:
        found = await world.who_may(operation).get(answer.headers["Location"])
        if found.status == 405:
            assert "DELETE" in found.headers["Allow"], "what is not read there can be taken away there"
            return
        assert found.data == without_secrets(answer)
        if found.data == answer.data:
            assert found.headers["ETag"] == answer.headers["ETag"]


@every(*(operation for operation in POSTS if operation.status == 201 and operation.name not in NO_PLACE))
async def test_what_is_made_has_a_place(operation: Operation, world: World) -> None:
    assert "Location" in (await world.send(world.who_may(operation), operation)).headers


@every(*(operation for operation in operations.ALL if len(operation.methods) > 1))
async def test_put_is_patch(operation: Operation, world: World, server: Server) -> None:
    assert operation.methods == ("PATCH", "PUT")
    client = world.who_may(operation)
    by_patch = await world.send(client, operation, method="PATCH")
    by_put = await world.send(client, operation, method="PUT")
    assert by_put.status == by_patch.status == operation.status
    assert by_put.data == by_patch.data, "the second says nothing new, so it changes nothing"
    nothing = await world.send(client, operation, method="PUT", body={})
    assert nothing.data == by_patch.data, "what is left out stays"
    empty = await client.request("PATCH", world.path(operation))
    assert empty.data == by_patch.data, "no body says nothing, too"


def check_caching(operation: Operation, answer: Answer) -> None:
    """Every answer to a read says whether it may be kept; what is kept is asked for each time, by its reader."""
    headers = answer.headers
    is_kept = operation.keeps_pages if operation.paged else operation.name not in UNVERSIONED
    if operation.access == "open" or not is_kept:
        assert (headers["Cache-Control"], headers.get("ETag"), headers.get("Vary")) == ("no-store", None, None)
        return
    assert (headers["Cache-Control"], headers["Vary"]) == ("private, no-cache", "Authorization, Cookie")
    assert headers["ETag"].startswith('W/"' if operation.paged else '"')


@every(*READS)
@pytest.mark.changes_nothing
async def test_head_is_get_without_a_body(operation: Operation, world: World) -> None:
    client, query = world.who_may(operation), world.query(operation)
    by_get = await client.get(world.path(operation), **query)
    by_head = await client.request("HEAD", world.path(operation), params=query)
    assert (by_head.status, by_head.raw) == (200, b"")
    assert by_head.headers.keys() == by_get.headers.keys()
    assert by_head.headers.get("ETag") == by_get.headers.get("ETag")
    check_caching(operation, by_get)
    refused = await client.request("HEAD", world.path(operation) + "?no_such=1")
    assert (refused.status, refused.raw) == (400, b"")
    assert refused.headers["X-Correlation-ID"]


@every(*(operation for operation in READS if operation.access != "open" and not operation.paged))
@pytest.mark.changes_nothing
async def test_unchanged_resources_are_not_sent_again(operation: Operation, world: World) -> None:
    client, path = world.who_may(operation), world.path(operation)
    first = await client.get(path)
    if operation.name in UNVERSIONED:
        assert "ETag" not in first.headers
        return
    etag = first.headers["ETag"]
    assert re.fullmatch(r'"\d+-[0-9a-f]{8}"', etag)
    for condition in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        for method in ("GET", "HEAD"):
            answer = await client.request(method, path, headers={"If-None-Match": condition})
            assert (answer.status, answer.raw) == (304, b""), condition
            assert answer.headers["ETag"] == etag
            assert answer.headers["X-Correlation-ID"]
    for condition in ('"other"', etag.strip('"'), "", '"0-00000000"', ","):
        assert (await client.get(path, {"If-None-Match": condition})).status == 200, condition


@every(*(operation for operation in PAGED if operation.keeps_pages))
@pytest.mark.changes_nothing
async def test_unchanged_pages_are_not_sent_again(operation: Operation, world: World) -> None:
    client, path, query = world.who_may(operation), world.path(operation), world.query(operation)
    first = await client.get(path, **query)
    same = await client.get(path, {"If-None-Match": first.headers["ETag"]}, **query)
    assert (same.status, same.raw, same.headers["ETag"]) == (304, b"", first.headers["ETag"])
    other = await client.get(path, {"If-None-Match": first.headers["ETag"]}, limit="7", **query)
    assert other.status == 200, "another page"


@every(*(operation for operation in (*POSTS, *PATCHES) if operation.name not in NOT_KEPT))
async def test_a_retry_is_the_same_request(operation: Operation, world: World) -> None:
    client, body, key = world.who_may(operation), world.body(operation), {"Idempotency-Key": new_id()}
    first = await world.send(client, operation, body=body, headers=key)
    again = await world.send(client, operation, body=body, headers=key)
    reordered = await world.send(client, operation, body=dict(reversed(body.items())), headers=key)
    assert first.status == again.status == reordered.status == operation.status
    assert without_secrets(first) == again.data == reordered.data
    assert first.headers.get("Location") == again.headers.get("Location")
    for different in changed(operation, body):
        other = await world.send(client, operation, body=different, headers=key)
        assert check_problem(other, 422)["code"] == "idempotency_key_reused"
    elsewhere = operations.BY_NAME["create_thread" if operation.name != "create_thread" else "create_message"]
    reused = await world.send(client, elsewhere, headers=key)
    assert check_problem(reused, 422)["code"] == "idempotency_key_reused", "another operation is another request"


def without_secrets(answer: Answer) -> Any:
    """What is shown once is not shown to whoever asks again."""
    secrets: dict[str, None] = {name: None for name in ("key", "secret") if name in answer.data}
    return answer.data | secrets if secrets else answer.data


def changed(operation: Operation, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Another good request of the same thing, where there is one."""
    others = {
        "name": "Y", "title": "Z", "content": "y", "emoji": "🎉", "role": "VIEWER", "offset": 1, "control": "bot",
        "jti": "another", "metadata": {"colour": "red"},
    }  # fmt: skip
    fields = operation.request.model_fields.keys() - operation.path_parameters
    return [{**body, name: value} for name, value in others.items() if name in fields][:1]


def is_repeatable(operation: Operation) -> bool:
    """Whether another may ask for the same of the same thing and is answered something else."""
    ends_something = operation.handler.__module__ == "server.resources.message_streams.operations"
    is_personal = (
        operation.tag == "notifications"
        or operation.name in ("answer_action", "withdraw_proposal", "append_to_artifact", "complete_artifact_stream")
        or "/webhooks/" in operation.path
    )
    return operation.access == "user" and operation.name not in NOT_KEPT and not ends_something and not is_personal


@every(*filter(is_repeatable, POSTS))
async def test_a_key_is_ones_own(operation: Operation, world: World) -> None:
    """An admin who may do the same is somebody else."""
    await world.alice.post(f"/api/v1/threads/{world.thread_id}/members", user_id=(await world.root.me())["id"])
    key = {"Idempotency-Key": new_id()}
    mine = await world.send(world.alice, operation, headers=key)
    if operation.name == "add_member":
        path = f"/api/v1/threads/{world.thread_id}/members/{world.bob_id}"
        assert (await world.alice.delete(path)).status == 200
    theirs = await world.send(world.root, operation, headers=key)
    assert (mine.status, theirs.status) == (operation.status, operation.status)
    assert mine.data != theirs.data


PATHS = sorted({operation.path for operation in operations.ALL})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.changes_nothing
async def test_methods_that_a_path_does_not_take(path: str, world: World) -> None:
    here = [operation for operation in operations.ALL if operation.path == path]
    taken = {method for operation in here for method in operation.methods}
    taken |= {"HEAD"} if "GET" in taken else set()
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} - taken:
        answer = await world.alice.request(method, world.path(here[0]), data=b"{")
        assert answer.status == 405, method
        assert set(answer.headers["Allow"].split(", ")) == taken
        if method != "HEAD":
            assert check_problem(answer, 405)["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.changes_nothing
async def test_paths_that_are_not_there(path: str, world: World) -> None:
    good = world.path(next(operation for operation in operations.ALL if operation.path == path))
    wrong_ones = [good + "/", "/" + good, good.upper()]
    if "reactions" not in path:  # below which anything may be an emoji
        wrong_ones += [good + "/no_such", good + "%2f", good + ";x", good + "."]
    for wrong in wrong_ones:
        answer = await world.alice.get(wrong)
        assert check_problem(answer, 404)["code"] == "not_found", wrong


@every(*WITH_BODY)
@pytest.mark.changes_nothing
async def test_a_version_that_is_none(operation: Operation, world: World) -> None:
    for tag in ("1", "nonsense", '""', '"x"', '"1', '"-1"', '"1-xyz"', '"1", "x"', '"' + "9" * 19 + '"', '"1.5"'):
        answer = await world.send(world.who_may(operation), operation, headers={"If-Match": tag})
        assert check_problem(answer, 400)["code"] == "malformed", tag


async def test_ids_are_ids(world: World) -> None:
    """CUIDs that sort by the time they were made."""
    made = [(await world.alice.say(world.thread_id, str(n)))["id"] for n in range(5)]
    assert all(map(is_id, made))
    assert made == sorted(made)
