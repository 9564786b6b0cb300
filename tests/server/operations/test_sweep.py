"""What holds for every operation, generated from the registry, so that a new one cannot be forgotten."""

import logging
from typing import Any

import orjson
import pytest

from actors.identifiers import new_id
from server import operations
from server.registry import Operation
from tests.realtime_client import raw_client
from tests.serving import Client, Server

EVERY = pytest.mark.parametrize("operation", operations.ALL, ids=lambda operation: operation.name)
CLOSED = pytest.mark.parametrize(
    "operation", [o for o in operations.ALL if o.access != "open"], ids=lambda operation: operation.name
)


def path_of(operation: Operation, ids: dict[str, str]) -> str:
    path = operation.path
    for name in operation.path_parameters:
        path = path.replace(f"{{{name}}}", ids.get(f"{operation.tag}.{name}") or ids[name])
    return path


@pytest.fixture
async def ids(alice: Client) -> dict[str, str]:
    """Path parameters of what belongs to alice."""
    thread = await alice.thread()
    message = await alice.say(thread)
    me = await alice.me()
    return {
        "thread_id": thread["id"], "message_id": message["id"], "user_id": me["id"], "emoji": "👍",
        "threads.id": thread["id"], "messages.id": message["id"], "users.id": me["id"],
    }  # fmt: skip


@CLOSED
async def test_without_a_token(operation: Operation, ids: dict[str, str], server: Server) -> None:
    for method in operation.methods:
        async with server.session.request(method, server.url + path_of(operation, ids)) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert response.content_type == "application/problem+json"


@EVERY
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a":' * 600, b'{"zz":1}', b'"x"', b"{}", b'{"id":NaN}']
)
async def test_bad_bodies_are_told_not_broken(
    operation: Operation, body: bytes, ids: dict[str, str], alice: Client, caplog: pytest.LogCaptureFixture
) -> None:
    if not operation.has_body:
        return
    headers = {"Content-Type": "application/json"}
    for method in operation.methods:
        answer = await alice.request(method, path_of(operation, ids), data=body, headers=headers)
        assert answer.status < 500
        if answer.status >= 400:
            assert answer.error["status"] == answer.status
            assert answer.headers["X-Correlation-ID"] == answer.error["trace_id"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@EVERY
async def test_unknown_query_parameters(operation: Operation, ids: dict[str, str], alice: Client) -> None:
    for method in operation.methods:
        answer = await alice.request(method, path_of(operation, ids) + "?no_such=1")
        assert answer.status in (403, 422)
        if answer.status == 422:
            assert "not known here" in answer.error["errors"]["no_such"][0]


@EVERY
async def test_ids_that_are_none(operation: Operation, alice: Client) -> None:
    """A path with something else than an id is a path that is not there."""
    if not [name for name in operation.path_parameters if name.endswith("id")]:
        return
    for strange in ("1", "x" * 25, "C" + "a" * 24, "%00", "..%2f..", "c" + "a" * 23, "é" * 25):
        path = operation.path
        for name in operation.path_parameters:
            path = path.replace(f"{{{name}}}", "👍" if name == "emoji" else strange)
        for method in operation.methods:
            answer = await alice.request(method, path, data=b"{}", headers={"Content-Type": "application/json"})
            assert answer.status == 404, (method, path, answer.raw)


STRANGER: dict[str, set[int]] = {
    # Somebody who is not a member sees nothing of a thread: it is not there.
    **{
        name: {404}
        for name in (
            "get_thread", "update_thread", "delete_thread", "mark_read", "list_members", "add_member", "get_member",
            "update_member", "remove_member", "list_messages", "create_message", "get_message", "update_message",
            "delete_message", "list_revisions", "list_reactions", "toggle_reaction", "add_reaction",
            "remove_reaction", "list_events",
        )
    },
    "list_threads": {200}, "create_thread": {201}, "get_me": {200}, "update_me": {200}, "list_users": {200},
    "get_user": {200}, "update_user": {403}, "create_user": {403}, "delete_user": {403}, "get_health": {200},
    "get_api_health": {200}, "get_liveness": {200}, "get_readiness": {200}, "get_info": {200},
}  # fmt: skip
"""Operation → what a stranger is answered. A new operation has to say it."""

BODIES: dict[str, dict[str, Any]] = {
    "create_thread": {"title": "Mine"}, "update_thread": {"title": "Yours"}, "create_message": {"content": "x"},
    "update_message": {"content": "x"}, "toggle_reaction": {"emoji": "👍"}, "update_user": {"name": "X"},
    "create_user": {"email": "x@example.com", "name": "X"}, "update_me": {"name": "Bob"},
    "update_member": {"role": "VIEWER"},
}  # fmt: skip


@EVERY
async def test_a_stranger(operation: Operation, ids: dict[str, str], bob: Client) -> None:
    body = BODIES.get(operation.name, {})
    if operation.name == "add_member":
        body = {"user_id": (await bob.me())["id"]}
    path = path_of(operation, ids)
    for method in operation.methods:
        options: dict[str, Any] = {"json": body} if operation.has_body else {}
        answer = await bob.request(method, path, **options)
        assert answer.status in STRANGER[operation.name], answer.raw
        if answer.status == 404:
            missing = await bob.request(method, path_of(operation, {**ids, **_absent(ids)}), **options)
            assert missing.status == 404
            assert _without_ids(missing.error) == _without_ids(answer.error), "it shows whether the thing exists"


def _absent(ids: dict[str, str]) -> dict[str, str]:
    other = new_id()
    return {name: other for name in ids if name not in ("emoji", "user_id")}


def _without_ids(problem: dict[str, Any]) -> dict[str, Any]:
    return {key: problem[key] for key in ("type", "title", "status", "code", "errors")} | {
        "words": [word for word in problem["detail"].split() if not word.startswith("'")]
    }


@EVERY
async def test_the_same_over_rpc(operation: Operation, ids: dict[str, str], bob: Client, server: Server) -> None:
    """REST and RPC answer the same: the same success, or the same problem."""
    body = BODIES.get(operation.name, {})
    if operation.name == "add_member":
        body = {"user_id": (await bob.me())["id"]}
    parameters = {name: ids.get(f"{operation.tag}.{name}") or ids[name] for name in operation.path_parameters}
    async with raw_client(server.session, server.websocket_url, bob.token) as client:
        reply = await client.ask("rpc", method=operation.name, data={**parameters, **body})
    if STRANGER[operation.name] & {200, 201}:
        assert "rpc" in reply, reply
    else:
        problem = orjson.loads(reply["error"]["message"])
        assert {problem["status"]} == STRANGER[operation.name]


async def test_every_operation_has_words() -> None:
    for operation in operations.ALL:
        assert operation.summary.endswith("."), operation.name
        assert operation.name in STRANGER
    assert len(operations.BY_NAME) == len(operations.ALL)
