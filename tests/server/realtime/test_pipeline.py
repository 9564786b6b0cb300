"""REST, RPC and the streamed body of a request go the same way, stage by stage, and refuse at the same stage."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from actors.errors import Forbidden
from actors.users.activity import Activity
from server.api import pipeline
from server.api.refusals import Refusals
from server.api.registry import Operation
from tests.server.realtime.conftest import Dial
from tests.serving import Client, Server, serving

WHOLE = ["identify", "draw", "read", "rights", "activity", "work"]
Post = Callable[[Client, str], Awaitable[str]]
"""Write a message to a thread; answers the code of the error, or nothing."""


class Watched:
    """An end that notes what the pipeline asks of it."""

    def __init__(self, end: Any, stages: list[str]) -> None:
        self._end = end
        self._stages = stages

    def __getattr__(self, name: str) -> Any:
        if name in ("identify", "draw", "read", "work"):
            self._stages.append(name)
        return getattr(self._end, name)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    run = pipeline.run

    async def watched(operation: Operation, services: Any, end: Any) -> Any:
        return await run(operation, services, Watched(end, seen))

    def watch(owner: type, method: str, stage: str) -> None:
        original = getattr(owner, method)

        def noting(*args: Any, **more: Any) -> Any:
            seen.append(stage)
            return original(*args, **more)

        monkeypatch.setattr(owner, method, noting)

    monkeypatch.setattr(pipeline, "run", watched)
    watch(Operation, "must_allow", "rights")
    watch(Activity, "note", "activity")
    watch(Refusals, "note", "refusal")
    return seen


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", RATE_LIMITS="on", RATE_WRITE="1/min:4") as running:
        yield running


@pytest.fixture(params=["rest", "rpc", "stream"])
async def post(request: pytest.FixtureRequest, server: Server, alice: Client) -> AsyncIterator[Post]:
    async def by_rest(client: Client, thread_id: str) -> str:
        answer = await client.post(f"/api/v1/threads/{thread_id}/messages", content="hello")
        return "" if answer.status == 201 else str(answer.error["code"])

    async def by_stream(client: Client, thread_id: str) -> str:
        headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/x-ndjson"}
        url = f"{server.url}/api/v1/threads/{thread_id}/messages:stream"
        body = orjson.dumps({"text": "hello"}) + b"\n"
        async with server.session.post(url, data=body, headers=headers) as answer:
            whole = await answer.read()  # the message has ended then
            return "" if answer.status == 201 else str(orjson.loads(whole)["error"]["code"])

    async with AsyncExitStack() as stack:
        sockets = {alice.token: await Dial(server, stack)(alice)}

        async def by_rpc(client: Client, thread_id: str) -> str:
            socket = sockets[client.token]
            data = {"thread_id": thread_id, "content": "hello"}
            answer = await socket.ask("rpc", method="create_message", data=data)
            return str(answer["error"]["message"]) if "error" in answer else ""

        yield {"rest": by_rest, "rpc": by_rpc, "stream": by_stream}[request.param]


def first_way(stages: list[str]) -> Iterator[str]:
    """The stages of one request: those of commands within its work are its own."""
    for stage in stages:
        yield stage
        if stage == "work":
            return


async def test_each_stage_in_its_order(alice: Client, post: Post, stages: list[str]) -> None:
    thread = await alice.thread()
    stages.clear()
    assert await post(alice, thread["id"]) == ""
    assert [*first_way(stages)] == WHOLE


async def test_a_refusal_is_kept(alice: Client, server: Server, post: Post, stages: list[str]) -> None:
    other = await server.client("bob").thread()
    stages.clear()
    assert await post(alice, other["id"]) != ""
    assert stages == [*WHOLE, "refusal"]
    assert [refusal["operation"] for refusal in server.services.refusals.of((await alice.me())["id"])] == [
        "create_message"
    ]


async def test_what_is_over_the_limit_is_not_read(alice: Client, post: Post, stages: list[str]) -> None:
    thread = await alice.thread()
    for _ in range(3):
        assert await post(alice, thread["id"]) == ""
    stages.clear()
    assert await post(alice, thread["id"]) != ""
    assert stages == ["identify", "draw"]


async def test_a_key_that_may_not_write_is_no_activity(
    alice: Client, post: Post, stages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await alice.thread()

    def refuse(self: Operation, identity: Any) -> None:
        stages.append("rights")
        raise Forbidden("This key may only read.", code="scope_missing")

    monkeypatch.setattr(Operation, "must_allow", refuse)
    stages.clear()
    assert await post(alice, thread["id"]) != ""
    assert stages == ["identify", "draw", "read", "rights", "refusal"]
