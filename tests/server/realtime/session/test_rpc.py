"""Operations called over a session: what a command holds beside their parameters, and what is measured."""

from collections.abc import Coroutine
from typing import Any

import pytest

from actors.errors import Malformed, NotFound, ValidationFailed
from server.api import operations, pipeline
from server.api.registry import Result
from server.http.exact_json import Inexact
from server.limits.rate_limits import Policy
from server.limits.token_bucket import Rate
from server.realtime.session.rpc import RpcCalls, _RpcEnd
from tests.server.realtime.session.client import ANA, Client

GET_THREAD = operations.BY_NAME["get_thread"]


def end(client: Client, data: Any) -> _RpcEnd:
    return _RpcEnd(client.session, GET_THREAD, data)  # type: ignore[arg-type]


async def test_what_stands_beside_the_parameters_is_none_of_them(client: Client) -> None:
    data = {"id": "t", "if_version": 3, "traceparent": "00", "tracestate": "x", "idempotency_key": "once"}
    made = end(client, data)
    call = await made.read(ANA)
    assert (call.identity, call.if_version, call.operation) == (ANA, 3, "get_thread")
    assert call.once is not None
    assert made._parameters == {"id": "t"}
    bare = await end(client, {}).read(ANA)
    assert (bare.once, bare.if_version) == (None, None)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ([], ValidationFailed), ("x", ValidationFailed), ({"if_version": "3"}, ValidationFailed),
        ({"if_version": True}, ValidationFailed), (Inexact("1e999"), Malformed),
    ],
)  # fmt: skip
async def test_what_no_operation_takes(client: Client, data: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        await end(client, data).read(ANA)


async def test_the_resources_that_a_command_names(client: Client) -> None:
    data = {"id": "a", "thread_id": "t", "user_id": 5, "content": "words", "idle": "x"}
    assert list(end(client, data).ids) == ["a", "t"]
    assert list(end(client, "id").ids) == []


async def test_an_unknown_method_is_named(client: Client) -> None:
    for method, shown in (("dance", "dance"), (5, "5"), ("x" * 200, "x" * 100)):
        (answer,) = await client.ask({"id": 4, "rpc": {"method": method}})
        assert answer["error"] == {"code": 104, "message": f"method not found: {shown}"}


@pytest.fixture
def calls(client: Client) -> RpcCalls:
    return client.session._calls


@pytest.mark.parametrize(
    ("failure", "code"), [(None, ""), (NotFound("thread", "t"), "not_found"), (RuntimeError("a defect"), "internal")]
)
async def test_what_becomes_of_it_is_measured(
    client: Client, calls: RpcCalls, monkeypatch: pytest.MonkeyPatch, failure: Exception | None, code: str
) -> None:
    ran: list[Any] = []

    async def run(operation: Any, services: Any, end: Any) -> Result:
        ran.append(end._data)
        if failure is not None:
            raise failure
        return Result({})

    monkeypatch.setattr(pipeline, "run", run)
    if failure is None:
        for body in ({}, {"data": None}):
            answer = {"id": 4, "rpc": {"data": {}}}
            assert await client.ask({"id": 4, "rpc": {"method": "get_thread", **body}}) == [answer]
        assert ran == [{}, {}], "no data are no parameters"
    else:
        with pytest.raises(type(failure)):
            await calls.run(GET_THREAD, {})
    name, transport, seconds, told = client.behind.measures.named("operation")[-1]
    assert (name, transport, told) == ("get_thread", "websocket", code)
    assert 0 <= seconds < 60


async def test_a_tracer_sees_it_through(client: Client, calls: RpcCalls, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    async def run(operation: Any, services: Any, end: Any) -> Result:
        return Result([])

    class Tracer:
        async def rpc(self, name: str, transport: str, data: Any, work: Coroutine[Any, Any, bytes]) -> bytes:
            seen.append((name, transport, data))
            return await work

    monkeypatch.setattr(pipeline, "run", run)
    monkeypatch.setattr(client.behind, "tracer", Tracer())
    assert await calls.run(GET_THREAD, {"id": "t"}) == b"[]"
    assert seen == [("get_thread", "websocket", {"id": "t"})]


async def test_what_a_session_runs_itself_is_measured_as_well(
    client: Client, calls: RpcCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(operation: Any, services: Any, end: Any) -> Result:
        return Result([])

    monkeypatch.setattr(pipeline, "run", run)
    assert await client.session.run(GET_THREAD, {}) == b"[]"
    assert len(client.behind.measures.named("operation")) == 1


async def test_whose_rate_it_draws_from(client: Client) -> None:
    policy = Policy("read", Rate(1e-9, 2), lambda: 0.0, 10)
    made = end(client, {})
    subject = made.subject(GET_THREAD, ANA)
    assert (subject, await made.identify(), made.trace) == (ANA.user.key, ANA, client.session.client_id)
    made.draw(policy, subject)
    assert policy.take(subject) == 0
