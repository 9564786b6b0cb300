"""The database that cannot take a write: clients are told to come back, reads go on, and it recovers by itself."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from cli.serving import assembly
from storage.database import DatabaseOptions
from storage.readers.pool import Readers
from storage.readers.reads import SqliteReads
from tests.server.locking import locked
from tests.server.operations.sweep.requests import PASSWORD, SWEPT, World, check_problem, hosts_of, world_of
from tests.serving import Answer, Client, Server, serving


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """One that waits for a lock for a moment only."""
    monkeypatch.setattr(assembly, "DatabaseOptions", functools.partial(DatabaseOptions, busy_timeout_ms=20))
    async with serving(tmp_path / "data") as running:
        yield running


UNWRITTEN = frozenset({
    "append_to_message", "validate_blocks", "validate_artifact", "find_options", "find_artifact_options",
    "answer_options", "sign_file",
    "create_artifact_export", "create_thread_export", "delete_export",
    "batch_files", "set_typing", "set_status", "get_readiness", "explain_access",
})  # fmt: skip
"""What is ephemeral, and what answers that nothing can be written; `batch_files` says it of each file, and
`explain_access` that it is why a user is refused."""
WRITTEN_DOWN = frozenset({"export_user"})
"""Reads that the audit log has to know about."""


async def test_every_write_is_refused_and_every_read_goes_on(
    server: Server, alice: Client, bob: Client, root: Client, tmp_path: Path
) -> None:
    """Generated from the registry."""
    await alice.post("/api/v1/auth/password", new_password=PASSWORD)
    async with AsyncExitStack() as opened:
        world = await world_of(await hosts_of(server, alice, bob, root), opened)
        for operation in SWEPT:
            await world.prepare(operation)
        before = await written(world)
        with locked(tmp_path / "data"):
            for operation in SWEPT:
                sent = {"path": world.path(operation), "body": world.body(operation)}
                answer = await world.send(world.who_may(operation), operation, **sent)
                is_read = operation.methods == ("GET",) or operation.name in UNWRITTEN
                if not is_read or operation.name in WRITTEN_DOWN:
                    _check_refusal(answer, tmp_path)
                elif operation.name != "get_readiness":
                    assert answer.status == operation.status, (operation.name, answer.raw)
        assert await written(world) == before, "nothing was written"
        assert (await alice.say(world.thread_id, "again"))["content"] == "again"


async def written(world: World) -> Any:
    """Without the piece that was appended to a streamed message: it is kept in memory, and saved some time later."""
    log = await world.alice.get(f"/api/v1/threads/{world.thread_id}/log", limit="100")
    saved = orjson.dumps(log.data).replace(b'"Hellomore"', b'"Hello"')
    return orjson.loads(saved), (await world.root.get("/api/v1/admin/audit")).data


def _check_refusal(answer: Answer, folder: Path) -> None:
    error = check_problem(answer, 503)
    assert (error["code"], error["retryable"]) == ("storage_unavailable", True)
    assert answer.headers["Retry-After"] == "2"
    assert "another process holds a lock" in error["detail"]
    assert str(folder) not in error["detail"], "files are not for clients"


async def test_readiness_says_so_and_recovers(server: Server, alice: Client, tmp_path: Path) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    assert (await alice.get("/health/ready")).status == 200
    with locked(tmp_path / "data"):
        assert (await alice.post(path, content="x")).status == 503
        refused = await alice.get("/health/ready")
        assert check_problem(refused, 503)["code"] == "unavailable"
        assert "database: " in refused.error["detail"]
        assert "another process holds a lock" in refused.error["detail"]
        assert int(refused.headers["Retry-After"]) >= 1
        health = (await alice.get("/health")).data
        assert (health["status"], health["checks"]["database"]["status"]) == ("unavailable", "failing")
        assert health["checks"]["server"] == {"status": "ok", "reason": None}
        assert (await alice.get("/health/live")).status == 200
    for _ in range(200):  # by itself: a proxy sends no writes to a server that is not ready
        ready = await alice.get("/health/ready")
        if ready.status == 200:
            break
        await asyncio.sleep(0.02)
    assert (await alice.post(path, content="x")).status == 201
    assert ready.data["checks"]["database"] == {"status": "ok", "reason": None}
    assert [m["content"] for m in (await alice.get(path)).data] == ["x"], "what was refused was not written"


async def test_a_key_makes_the_retry_safe(alice: Client, tmp_path: Path) -> None:
    thread = await alice.thread()
    path, key = f"/api/v1/threads/{thread['id']}/messages", {"Idempotency-Key": "k"}
    with locked(tmp_path / "data"):
        refused = await asyncio.gather(*(alice.post(path, key, content="x") for _ in range(5)))
        assert {answer.status for answer in refused} == {503}
    answers = await asyncio.gather(*(alice.post(path, key, content="x") for _ in range(5)))
    assert {(answer.status, answer.data["id"]) for answer in answers} == {(201, answers[0].data["id"])}
    assert len((await alice.get(path)).data) == 1


async def test_who_is_not_known_yet_comes_back(server: Server, alice: Client, tmp_path: Path) -> None:
    """To make a user is a write; it is nobody's fault, so it is no 401."""
    await alice.me()
    stranger = server.client("dana")
    with locked(tmp_path / "data"):
        assert check_problem(await stranger.get("/api/v1/users/me"), 503)["code"] == "storage_unavailable"
        assert (await alice.get("/api/v1/users/me")).status == 200, "whoever is known is let in"
    assert (await stranger.get("/api/v1/users/me")).status == 200


async def test_a_database_that_cannot_be_read(server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness says so at once, without a write."""
    thread = await alice.thread()
    readers = Readers(DatabaseOptions(Path("nowhere/to/be/found.db")))
    with monkeypatch.context() as patch:
        patch.setitem(cast(SqliteReads, server.services.reads)._lanes, "pages", readers)
        for path in ("/api/v1/users/me", "/api/v1/threads", f"/api/v1/threads/{thread['id']}/log", "/health/ready"):
            answer = await alice.get(path)
            assert check_problem(answer, 503)["code"] in ("storage_unavailable", "unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
            assert b"nowhere" not in answer.raw
        assert (await alice.get("/health")).data["status"] == "unavailable"
        assert (await alice.get("/health/live")).status == 200
    readers.close()
    assert (await alice.get("/health/ready")).status == 200
