"""Every endpoint of the first system: docs/endpoints.md says which operation answers, and which test holds it."""

import ast
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.api import operations
from server.api_docs import openapi_routes
from tests.realtime_client import raw_client
from tests.serving import Client, Server, serving

ROOT = Path(__file__).parent.parent
ENDPOINTS, _, MISSING = (ROOT / "docs" / "endpoints.md").read_text().partition("## Not here yet")
ROWS = re.findall(r"^\| `([A-Z ]+) (/\S*)` \| `(\w+)` \| `(\S+)::(\w+)` \|$", ENDPOINTS, re.MULTILINE)
"""Methods, path, operation, file and name of a test."""
LISTED = {(method, path): operation for methods, path, operation, *_ in ROWS for method in methods.split()}
SERVED = {
    **{(method, operation.path): operation.name for operation in operations.ALL for method in operation.methods},
    **{
        (method.upper(), path): described["operationId"]
        for path, methods in openapi_routes.paths().items()
        for method, described in methods.items()
    },
}


def test_every_row_is_read() -> None:
    assert ENDPOINTS.count("\n| `") == len(ROWS) > 80
    assert len(LISTED) == sum(len(methods.split()) for methods, *_ in ROWS), "each stands there once"


def test_every_operation_is_served_there() -> None:
    assert {endpoint: SERVED.get(endpoint) for endpoint in LISTED} == LISTED


def test_no_operation_of_a_path_is_missing() -> None:
    paths = {path for _, path in LISTED}
    assert {endpoint for endpoint in SERVED if endpoint[1] in paths} == LISTED.keys()


@pytest.mark.parametrize("prefix", ["/health", "/users", "/api/v1/auth/", "/api/v1/admin/", "/connection/"])
def test_what_was_all_of_the_first_system_is_all_here(prefix: str) -> None:
    beyond = {("POST", "/api/v1/auth/password")}
    assert {endpoint for endpoint in SERVED if endpoint[1].startswith(prefix)} - beyond <= LISTED.keys()


def test_what_is_said_to_be_missing_is() -> None:
    missing = re.findall(r"`(/[^`]+)`", MISSING.partition("\n\n| path")[2].replace("`GET /", "`"))
    assert len(missing) == 1
    assert [path for _, path in SERVED if path.startswith(tuple(missing))] == []


@pytest.mark.parametrize("file", sorted({file for *_, file, _ in ROWS}))
def test_every_test_is_there(file: str) -> None:
    named = {test for *_, where, test in ROWS if where == file}
    found = {node.name for node in ast.parse((ROOT / file).read_text()).body
             if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}  # fmt: skip
    assert named <= found
    assert all(name.startswith("test_") for name in named)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def root(server: Server) -> Client:
    return server.client("root", role="ADMIN")


async def test_users_without_the_prefix(server: Server, root: Client) -> None:
    made = await root.post("/users", email="eve@rpotential.ai", name="Eve")
    assert (made.status, made.headers["Location"]) == (201, f"/api/v1/users/{made.data['id']}")
    assert (await root.get("/users")).data == (await root.get("/api/v1/users")).data
    page = await root.get("/users", limit="1")
    rest = await root.get("/users", limit="1", cursor=page.metadata["pagination"]["next_cursor"])
    assert [user["name"] for user in page.data + rest.data] == ["Root", "Eve"]
    assert (await server.client("alice").post("/users", email="x@rpotential.ai", name="X")).status == 403
    assert (await root.get("/users", {"Authorization": ""})).status == 401


async def test_who_is_connected(server: Server, root: Client) -> None:
    alice = server.client("alice")
    thread, her = await alice.thread(), (await alice.me())["id"]
    async with (
        raw_client(server.session, server.websocket_url, alice.token) as socket,
        raw_client(server.session, server.websocket_url, root.token),
    ):
        await socket.subscribe(thread["id"])
        everybody = (await root.get("/api/v1/admin/connections")).data
        assert [found["user_name"] for found in everybody] == ["Alice", "Root"]
        (found,) = (await root.get("/api/v1/admin/connections", user_id=her)).data
        assert (found["transport"], found["address"], found["user_id"]) == ("websocket", "127.0.0.1", her)
        assert f"thread:{thread['id']}" in found["channels"]
        first = await root.get("/api/v1/admin/connections", limit="1")
        cursor = first.metadata["pagination"]["next_cursor"]
        rest = await root.get("/api/v1/admin/connections", limit="1", cursor=cursor)
        assert [*first.data, *rest.data] == everybody
        assert (await alice.get("/api/v1/admin/connections")).status == 403
        assert (await root.delete(f"/api/v1/admin/connections/{found['id']}")).status == 200
        assert (await socket.closed()).code == 3005
