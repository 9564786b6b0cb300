"""Traces of a real server process, as a collector gets them."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context, ContextVar, copy_context
from pathlib import Path
from typing import Any

import aiohttp
import click
import pytest

from actors.runtime.loop_actor import LoopFuture, drive
from cli.serving.traces import open_traces
from server.telemetry.tracing.in_context import InContext
from tests.realtime_client import raw_client
from tests.server.outbound.webhooks.hooks import hook
from tests.server.outbound.webhooks.receiver import Received, receiving
from tests.server.telemetry.collector import Collector, Span, collecting
from tests.serving import Client, ServerProcess, free_port, load_settings, serving

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ABOVE = "00f067aa0ba902b7"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{ABOVE}-01", f"00-{TRACE}-{ABOVE}-00"
CONTENT = "a sentence that belongs to alice"
POST = "POST /api/v1/threads/{thread_id}/messages"
SERVER, CLIENT, FAULTY = 2, 3, 2
BELOW = {"journal.wait", "journal.commit", "publication"}


@asynccontextmanager
async def traced(folder: Path, endpoint: str, **more: str) -> AsyncIterator[tuple[ServerProcess, Client]]:
    settings = {
        ENDPOINT: endpoint, "OTEL_BSP_SCHEDULE_DELAY": "20", "WEBHOOK_NETWORKS": "127.0.0.1",
        "LOG_FORMAT": "json", **more,
    }  # fmt: skip
    process = ServerProcess(folder / "data", **settings)
    await process.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield process, Client(session, process.url, "alice")
    finally:
        assert await process.stop() == 0, process.log.read_text()


@asynccontextmanager
async def traced_here(
    monkeypatch: pytest.MonkeyPatch, folder: Path, collector: Collector
) -> AsyncIterator[Client]:  # fmt: skip
    """A server in this process."""
    monkeypatch.setenv(ENDPOINT, collector.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    more = {ENDPOINT: collector.url, "WEBHOOK_NETWORKS": "127.0.0.1"}
    async with serving(folder / "data", **more) as server:
        yield server.client("alice")


def lines(process: ServerProcess) -> list[Any]:
    return [json.loads(line) for line in process.log.read_text().splitlines() if line.startswith("{")]


async def test_commands_are_spans_with_what_they_wait_for(tmp_path: Path) -> None:
    async with collecting() as collector, receiving() as receiver:
        async with traced(tmp_path, collector.url, OTEL_SERVICE_NAME="chat") as (process, alice):
            thread = await alice.thread()
            await hook(alice, receiver)
            await by_rest(collector, alice, thread, process)
            await of_a_webhook(collector, receiver.got, await alice.say(thread, CONTENT))
            await over_a_websocket(collector, alice, thread, process)
            await in_one_streamed_body(collector, alice, thread)
            await refused(collector, alice)
            await alice.thread("The last one")  # exported when the server ends
        assert len(collector.named("POST /api/v1/threads")) == 2
        assert collector.service["service.name"] == "chat"
    for private in (CONTENT, "alice", "Alice", alice.token, thread["id"], receiver.url):
        assert private.encode() not in collector.raw


async def by_rest(collector: Collector, alice: Client, thread: Any, process: ServerProcess) -> None:
    path = f"/api/v1/threads/{thread['id']}/messages"
    answer = await alice.post(path, {"traceparent": SAMPLED}, content=CONTENT)
    assert answer.headers["X-Correlation-ID"] == TRACE
    span = await collector.one(POST, TRACE)
    assert (span.parent_id, span.kind, span.status) == (ABOVE, SERVER, 0)
    assert span.attributes == {
        "http.request.method": "POST", "http.route": "/api/v1/threads/{thread_id}/messages",
        "http.response.status_code": 201, "xp.operation": "create_message", "xp.transport": "rest",
    }  # fmt: skip
    await collector.until(lambda _: collector.below(span) >= BELOW)
    wait, commit = await collector.one("journal.wait", TRACE), await collector.one("journal.commit", TRACE)
    assert span.began <= wait.began <= wait.ended == commit.began <= commit.ended <= span.ended
    batch = await collector.one("journal.batch", TRACE)
    assert (batch.links, commit.links) == ((span.span_id,), (batch.span_id,))
    (line,) = [line for line in lines(process) if line.get("trace_id") == TRACE]
    assert (line["span_id"], line["correlation_id"]) == (span.span_id, TRACE)


async def of_a_webhook(collector: Collector, got: list[Received], message: Any) -> None:
    """The second that it gets: its receiver is below the request that was made to it, which is below the command."""
    async with asyncio.timeout(20):
        while len(got) < 2:  # noqa: ASYNC110 - the receiver tells no one
            await asyncio.sleep(0.01)
    (received,) = [each for each in got if each.event["data"]["id"] == message["id"]]
    version, trace_id, span_id, flags = received.headers["traceparent"].split("-")
    assert (version, flags) == ("00", "01")
    await collector.until(lambda _: any(span.span_id == span_id for span in collector.spans))
    (request,) = [span for span in collector.spans if span.span_id == span_id]
    assert (request.name, request.kind, request.trace_id) == ("POST", CLIENT, trace_id)
    assert request.attributes["http.response.status_code"] == 204
    command = await collector.one(POST, trace_id)
    assert request.parent_id == command.span_id


async def over_a_websocket(collector: Collector, alice: Client, thread: Any, process: ServerProcess) -> None:
    trace = "7" * 32
    async with raw_client(alice.session, process.websocket_url, alice.token) as socket:
        data = {"thread_id": thread["id"], "content": CONTENT, "traceparent": f"00-{trace}-{ABOVE}-01"}
        assert "rpc" in await socket.ask("rpc", method="create_message", data=data)
        span = await collector.one("create_message", trace)
        assert (span.parent_id, span.attributes["xp.transport"]) == (ABOVE, "websocket")
        await collector.until(lambda _: collector.below(span) >= BELOW)
        asked = await socket.ask("rpc", method="get_thread", data={"id": thread["id"]})
        assert "rpc" in asked, asked
        other = await collector.one("get_thread")
        assert other.trace_id != trace
        await collector.until(lambda _: "database GetThread" in collector.below(other))
    assert not [span for span in collector.spans if "connection" in span.name]


async def in_one_streamed_body(collector: Collector, alice: Client, thread: Any) -> None:
    body = b'{"text": "one"}\n{"text": " two"}\n'
    path = f"/api/v1/threads/{thread['id']}/messages:stream"
    answer = await alice.request("POST", path, headers={"Content-Type": "application/x-ndjson"}, data=body)
    assert answer.status == 201
    span = await collector.one("POST /api/v1/threads/{thread_id}/messages:stream")
    await collector.until(lambda _: "journal.commit" in collector.below(span))


async def refused(collector: Collector, alice: Client) -> None:
    answer = await alice.get("/api/v1/admin/errors")
    span = await collector.one("GET /api/v1/admin/errors")
    assert answer.error["trace_id"] == span.trace_id
    assert (span.attributes["error.type"], span.attributes["http.response.status_code"]) == ("forbidden", 403)
    assert span.status != FAULTY  # nothing is wrong with the server


async def test_what_is_not_sampled_upstream_is_not_sampled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with collecting() as collector, receiving() as receiver:
        async with traced_here(monkeypatch, tmp_path, collector) as alice:
            thread = await alice.thread()
            await hook(alice, receiver)
            await alice.post(f"/api/v1/threads/{thread['id']}/messages", {"traceparent": NOT_SAMPLED}, content=CONTENT)
            (received,) = await receiver.until(1)
            assert received.headers["traceparent"].split("-")[::3] == ["00", "00"]
            broken = "00-0000000000000000000000000000000-x-01"
            await alice.post(f"/api/v1/threads/{thread['id']}/messages", {"traceparent": broken}, content=CONTENT)
        (span,) = collector.named(POST)
        assert span.trace_id != TRACE
        assert not span.parent_id


async def test_a_collector_that_is_away_disturbs_nobody(tmp_path: Path) -> None:
    more = {"OTEL_BSP_MAX_QUEUE_SIZE": "8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4"}
    async with traced(tmp_path, f"http://127.0.0.1:{free_port()}", **more) as (process, alice):
        thread = await alice.thread()
        for _ in range(30):
            await alice.say(thread)
        assert (await alice.get(f"/api/v1/threads/{thread['id']}/messages")).status == 200
    told = [line for line in lines(process) if line["logger"].startswith(("server.tracing", "opentelemetry"))]
    assert 1 <= len(told) <= 2  # the first failure; and that some were lost at the end
    assert told[0]["event"].startswith("traces are lost or late: ")


async def test_several_commands_of_one_transaction_are_linked_to_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with collecting() as collector, traced_here(monkeypatch, tmp_path, collector) as alice:
        thread = await alice.thread()

        def shared(found: Collector) -> list[Span]:
            return [batch for batch in found.named("journal.batch") if len(batch.links) > 1]

        async with asyncio.timeout(60):
            while not shared(collector):
                await asyncio.gather(*(alice.say(thread) for _ in range(20)))
        batch = shared(collector)[0]
        ids = set(batch.links)
        await collector.until(lambda _: {span.span_id for span in collector.named(POST)} >= ids)
        assert batch.parent_id in ids
        assert batch.attributes["xp.batch.size"] >= len(ids)
        await collector.until(lambda _: _linked(collector, batch) >= ids)


def _linked(collector: Collector, batch: Span) -> set[str]:
    """Of the commands whose commit names the transaction."""
    return {span.parent_id for span in collector.named("journal.commit") if batch.span_id in span.links}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin", "expected otlp or none, got 'zipkin'."),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "expected http/protobuf, got 'grpc'."),
        ("OTEL_TRACES_SAMPLER", "sometimes", "expected one of parentbased_always_on"),
        ("OTEL_TRACES_SAMPLER_ARG", "2", "expected a number from 0 to 1"),
    ],
)
def test_what_cannot_be_done_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setenv(name, value)
    with pytest.raises(click.ClickException, match=f"{name}: .*{re.escape(expected)}"):
        open_traces(load_settings(tmp_path, **{ENDPOINT: "http://127.0.0.1:9", name: value}), "1")


def test_a_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(
        click.ClickException, match=r"requires the extra `otel`: pip install 'experience-server\[otel\]'"
    ):
        open_traces(load_settings(tmp_path), "1")


@pytest.mark.parametrize("name", ["OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"])
def test_traces_are_off_where_a_variable_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    assert open_traces(load_settings(tmp_path), "1") is None
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setenv(name, "true" if name.endswith("DISABLED") else "none")
    assert open_traces(load_settings(tmp_path), "1") is None


async def test_work_in_a_context_of_its_own_keeps_it_whoever_runs_its_steps() -> None:
    """As `drive` does it: each step by another callback, some of which have a context of their own."""
    place: ContextVar[str] = ContextVar("place", default="outside")
    first: LoopFuture[int] = LoopFuture()
    seen: list[str] = []

    async def work() -> int:
        place.set("inside")
        number = await first
        seen.append(place.get())
        await asyncio.sleep(0)
        seen.append(place.get())
        return number

    async def around() -> int:
        return await InContext(work(), copy_context())

    outcomes: list[LoopFuture[int]] = []
    drive(around(), outcomes.append)
    Context().run(first.set, 5)
    async with asyncio.timeout(20):
        while not outcomes:  # noqa: ASYNC110 - `drive` has no task that could be awaited
            await asyncio.sleep(0)
    assert (outcomes[0].result(), seen, place.get()) == (5, ["inside", "inside"], "outside")


async def test_work_in_a_context_of_its_own_is_cancelled_with_its_task() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def around() -> None:
        await InContext(work(), copy_context())

    task = asyncio.ensure_future(around())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["cancelled"]
