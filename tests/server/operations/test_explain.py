"""Why a user may do something or not: asked of what decides it, and never done."""

from typing import Any

import pytest

from actors import limits
from actors.identifiers import new_id
from server.api import operations
from tests.server.operations.sweep.requests import BODIES
from tests.serving import Client, Server


@pytest.fixture
def root(server: Server) -> Client:
    return server.client("root", role="ADMIN")


async def explain(root: Client, user: Any, operation: str, key: str | None = None, **parameters: Any) -> Any:
    path = f"/api/v1/admin/users/{user['id']}/explain"
    answer = await root.post(path, operation=operation, parameters=parameters, api_key_id=key)
    assert answer.status == 200, answer.raw
    return answer.data


async def test_what_is_allowed_is_tried_and_undone(server: Server, root: Client) -> None:
    alice = server.client("alice")
    thread = await alice.thread()
    found = await explain(root, await alice.me(), "create_message", thread_id=thread["id"])
    assert (found["allowed"], found["decided_by"], found["code"]) == (True, "journal", None)
    assert found["because"] == "Nothing refuses it: it was written in a transaction that was undone."
    assert "The user is OWNER of it." in found["facts"]
    assert "The thread takes it: role, status, turns and room." in found["passed"]
    assert found["assumed"] == ["content"]
    assert (await alice.get(f"/api/v1/threads/{thread['id']}/messages")).data == []
    message = await alice.say(thread)
    log = (await alice.get(f"/api/v1/threads/{thread['id']}/log")).data
    assert [event["offset"] for event in log][-1] == len(log)  # no offset was lost
    assert message["content"] == "Hello"


async def test_a_stranger_hears_less_than_the_administrator(server: Server, root: Client) -> None:
    alice, bob = server.client("alice"), server.client("bob")
    thread = await alice.thread()
    found = await explain(root, await bob.me(), "create_message", thread_id=thread["id"])
    assert (found["allowed"], found["decided_by"], found["status"]) == (False, "thread", 404)
    refused = await bob.post(f"/api/v1/threads/{thread['id']}/messages", content="x")
    assert found["because"] == refused.error["detail"]
    assert "The user is no member of it." in found["facts"]
    await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=(await bob.me())["id"], role="VIEWER")
    found = await explain(root, await bob.me(), "create_message", thread_id=thread["id"])
    assert (found["decided_by"], found["code"]) == ("thread", "not_a_writer")
    assert "The user is VIEWER of it." in found["facts"]


async def test_a_closed_thread_decides(server: Server, root: Client) -> None:
    alice = server.client("alice")
    thread = await alice.thread()
    assert (await alice.patch(f"/api/v1/threads/{thread['id']}", status="CLOSED")).status == 200
    found = await explain(root, await alice.me(), "create_message", thread_id=thread["id"])
    assert (found["allowed"], found["decided_by"]) == (False, "thread")
    assert "The thread is CLOSED." in found["facts"]


async def test_the_account_decides(server: Server, root: Client) -> None:
    alice = server.client("alice")
    me = await alice.me()
    await root.patch(f"/api/v1/users/{me['id']}", status="DEACTIVATED")
    found = await explain(root, me, "get_me")
    assert (found["decided_by"], found["status"], found["passed"]) == ("account", 401, [])
    assert found["because"] == "This account is deactivated; an administrator can say why."


async def test_the_scope_of_a_key_decides(server: Server, root: Client) -> None:
    alice = server.client("alice")
    key = (await alice.post("/api/v1/auth/api-keys", name="Reader", scopes=["read"])).data
    me = await alice.me()
    found = await explain(root, me, "create_thread", key["id"])
    assert (found["decided_by"], found["code"]) == ("scope", "scope_missing")
    assert (await explain(root, me, "get_me", key["id"]))["allowed"]
    path = f"/api/v1/admin/users/{me['id']}/explain"
    assert (await root.post(path, operation="get_me", api_key_id=new_id())).status == 404


async def test_the_parameters_decide(server: Server, root: Client) -> None:
    alice = server.client("alice")
    found = await explain(root, await alice.me(), "create_thread", title="x" * (limits.TITLE_CHARS + 1))
    assert (found["decided_by"], list(found["errors"])) == ("parameters", ["title"])


async def test_the_journal_decides(server: Server, root: Client) -> None:
    """Only the transaction knows which ids are taken."""
    alice = server.client("alice")
    thread = await alice.thread()
    found = await explain(root, await alice.me(), "create_thread", title="x", id=thread["id"])
    assert (found["allowed"], found["decided_by"], found["status"]) == (False, "journal", 409)


IN_A_THREAD: dict[str, tuple[str, str, dict[str, Any]]] = {
    "get_thread": ("GET", "", {}),
    "list_members": ("GET", "/members", {}),
    "list_messages": ("GET", "/messages", {}),
    "get_memory": ("GET", "/memory", {}),
    "mark_read": ("POST", "/read", {}),
    "create_message": ("POST", "/messages", {"content": "x"}),
    "update_thread": ("PATCH", "", {"title": "x"}),
    "replace_memory": ("PUT", "/memory", {"memory": {"a": 1}}),
    "delete_thread": ("DELETE", "", {}),
}
"""The last one ends the others."""


async def test_it_says_what_the_request_is_answered(server: Server, root: Client) -> None:
    owner, viewer, stranger = (server.client(name) for name in ("alice", "bob", "carol"))
    thread = await owner.thread()
    path = f"/api/v1/threads/{thread['id']}"
    await owner.post(f"{path}/members", user_id=(await viewer.me())["id"], role="VIEWER")
    for who in (stranger, viewer, owner):
        me = await who.me()
        for name, (method, rest, body) in IN_A_THREAD.items():
            (parameter,) = operations.BY_NAME[name].path_parameters
            found = await explain(root, me, name, **body, **{parameter: thread["id"]})
            options = {"json": body} if method not in ("GET", "DELETE") else {}
            answer = await who.request(method, path + rest, **options)
            said = (found["allowed"], found["status"], found["code"])
            is_fine = answer.status < 400
            expected = (True, None, None) if is_fine else (False, answer.status, answer.error["code"])
            assert said == expected, (who.name, name, found)
            assert is_fine or found["because"] == answer.error["detail"]


async def test_what_reaches_outside_is_not_tried(server: Server, root: Client) -> None:
    alice = server.client("alice")
    found = await explain(root, await alice.me(), "login", email="alice@rpotential.ai", password="a wrong password")
    assert found["allowed"]
    assert found["because"].startswith("Nothing refuses it. What it goes on to is not tried: sign_ins.")


async def test_an_unknown_operation(server: Server, root: Client) -> None:
    me = await root.me()
    answer = await root.post(f"/api/v1/admin/users/{me['id']}/explain", operation="fly")
    assert answer.status == 404


async def test_no_rehearsal_changes_anything(server: Server, root: Client) -> None:
    """Of any operation, with a body that is taken: the log stays as it is, and nothing is noted."""
    alice = server.client("alice")
    thread, me = await alice.thread(), await alice.me()
    message = await alice.say(thread)
    summary = (await root.get("/api/v1/admin/summary")).data
    before = await position(server)
    for operation in operations.ALL:
        ids = dict.fromkeys(operation.path_parameters, thread["id"])
        if operation.path.startswith("/api/v1/messages/"):
            ids = dict.fromkeys(operation.path_parameters, message["id"])
        if operation.path.startswith(("/api/v1/users/{", "/api/v1/admin/users/{")):
            ids = dict.fromkeys(operation.path_parameters, me["id"])
        body = BODIES.get(operation.name, {}) if operation.has_body else {}
        if operation.name != "explain_access":
            await explain(root, me, operation.name, **body, **ids)
    assert await position(server) == before
    after = (await root.get("/api/v1/admin/summary")).data
    assert after == summary
    assert (await alice.get(f"/api/v1/threads/{thread['id']}")).data["title"] == thread["title"]


async def position(server: Server) -> int:
    from actors.resources.log import GetLogHead

    _, head = await server.services.ask(GetLogHead())
    return head
