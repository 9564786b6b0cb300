"""What sweeps over all operations send: for each operation a good request, and what others are answered.

A new operation has to be given its lines here; `test_nothing_is_forgotten` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from actors.identifiers import new_id
from server import operations
from server.registry import Operation
from tests.serving import Answer, Client


def every(*chosen: Operation) -> pytest.MarkDecorator:
    """One test for each operation."""
    return pytest.mark.parametrize("operation", chosen or operations.ALL, ids=lambda operation: operation.name)


CLOSED = tuple(operation for operation in operations.ALL if operation.access != "open")
WITH_BODY = tuple(operation for operation in operations.ALL if operation.has_body)
WITHOUT_BODY = tuple(operation for operation in operations.ALL if not operation.has_body)
READS = tuple(operation for operation in operations.ALL if "GET" in operation.methods)
POSTS = tuple(operation for operation in operations.ALL if "POST" in operation.methods)
PAGED = tuple(operation for operation in operations.ALL if operation.paged)

BODIES: Mapping[str, dict[str, Any]] = {
    "update_me": {"name": "Alice"}, "create_user": {"name": "X"}, "update_user": {"name": "X"},
    "create_thread": {"title": "Mine"}, "update_thread": {"title": "Changed"}, "mark_read": {}, "add_member": {},
    "update_member": {"role": "MEMBER"}, "create_message": {"content": "x"}, "update_message": {"content": "changed"},
    "toggle_reaction": {"emoji": "👍"}, "add_reaction": {},
}  # fmt: skip
"""Operation → a good body; `World.body` adds ids and addresses."""

STRANGER: Mapping[str, int] = {
    # Whoever is not a member sees nothing of a thread: it is not there.
    **dict.fromkeys(
        (
            "get_thread", "update_thread", "delete_thread", "mark_read", "list_members", "add_member", "get_member",
            "update_member", "remove_member", "list_messages", "create_message", "get_message", "update_message",
            "delete_message", "list_revisions", "list_reactions", "toggle_reaction", "add_reaction",
            "remove_reaction", "list_events",
        ),
        404,
    ),
    "list_threads": 200, "create_thread": 201, "get_me": 200, "update_me": 200, "list_users": 200, "get_user": 200,
    "update_user": 403, "create_user": 403, "delete_user": 403, "get_health": 200, "get_api_health": 200,
    "get_liveness": 200, "get_readiness": 200, "get_info": 200,
}  # fmt: skip
"""Operation → what a stranger is answered who sends a good request about another's things."""

VIEWER: Mapping[str, int] = {
    **dict.fromkeys(
        (
            "get_thread", "mark_read", "list_members", "get_member", "list_messages", "get_message", "list_revisions",
            "list_reactions", "list_events",
        ),
        200,
    ),
    **dict.fromkeys(
        (
            "update_thread", "delete_thread", "add_member", "update_member", "create_message", "update_message",
            "delete_message", "toggle_reaction", "add_reaction", "remove_reaction",
        ),
        403,
    ),
    "remove_member": 200,  # they leave
}  # fmt: skip
"""Operation on a thread → what a member is answered who may only read."""


@dataclass(frozen=True)
class World:
    alice: Client
    bob: Client
    viewer: Client
    root: Client
    viewer_id: str
    bob_id: str
    thread_id: str
    message_id: str

    @property
    def ids(self) -> dict[str, str]:
        return {
            "thread_id": self.thread_id, "message_id": self.message_id, "user_id": self.viewer_id, "emoji": "👍",
            "threads.id": self.thread_id, "messages.id": self.message_id, "users.id": self.viewer_id,
        }  # fmt: skip

    def parameters(self, operation: Operation) -> dict[str, str]:
        """Of the path."""
        return {
            name: self.ids.get(f"{operation.tag}.{name}", self.ids.get(name, "")) for name in operation.path_parameters
        }

    def path(self, operation: Operation, **others: str) -> str:
        path = operation.path
        for name, value in {**self.parameters(operation), **others}.items():
            path = path.replace(f"{{{name}}}", value)
        return path

    def absent_path(self, operation: Operation) -> str:
        """The same, of things that are not there."""
        names = [name for name in operation.path_parameters if name not in ("emoji", "user_id")]
        return self.path(operation, **dict.fromkeys(names, new_id()))

    def body(self, operation: Operation) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if operation.name == "create_user":
            more = {"email": f"{new_id()}@example.com"}
        if operation.name == "add_member":
            more = {"user_id": self.bob_id}
        return {**BODIES[operation.name], **more} if operation.has_body else {}

    def who_may(self, operation: Operation) -> Client:
        """Somebody whose good request succeeds."""
        return self.root if operation.tag == "users" and operation.access != "open" else self.alice

    async def send(
        self,
        client: Client,
        operation: Operation,
        *,
        method: str = "",
        path: str = "",
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The operation's good request, or another one of it."""
        sent = self.body(operation) if body is None else body
        options: dict[str, Any] = {"json": sent} if operation.has_body else {}
        url = path or self.path(operation)
        return await client.request(method or operation.methods[0], url, headers=headers, **options)


def check_problem(answer: Answer, *statuses: int) -> dict[str, Any]:
    """A failure looks like one, all over."""
    assert answer.status in statuses, answer.raw
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json.keys() == {"success", "error"}
    error: dict[str, Any] = answer.error
    assert error.keys() == {
        "type", "title", "status", "detail", "errors", "code", "retryable", "timestamp", "trace_id",
    }  # fmt: skip
    assert error["status"] == answer.status
    assert error["trace_id"] == answer.headers["X-Correlation-ID"]
    assert error["type"].endswith("/" + error["code"].replace("_", "-"))
    assert (answer.status == 401) == ("WWW-Authenticate" in answer.headers)
    assert (answer.status == 405) == ("Allow" in answer.headers)
    assert bool(error["errors"]) <= (error["code"] == "validation_failed")
    return error
