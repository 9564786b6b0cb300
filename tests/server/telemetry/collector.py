"""A collector of traces (OTLP over HTTP), on a real socket: the spans that it got."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATIENCE = 30.0


@dataclass(frozen=True)
class Span:
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    links: tuple[str, ...]
    """Ids of the spans."""
    kind: int
    status: int
    began: int
    ended: int


@dataclass
class Collector:
    url: str = ""
    spans: list[Span] = field(default_factory=list)
    service: dict[str, Any] = field(default_factory=dict)
    raw: bytes = b""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        sent = ExportTraceServiceRequest.FromString(body)
        async with self._news:
            self.raw += body
            for of_resource in sent.resource_spans:
                self.service = _facts(of_resource.resource.attributes)
                self.spans += [_span(each) for scope in of_resource.scope_spans for each in scope.spans]
            self._news.notify_all()
        return web.Response(body=b"", content_type="application/x-protobuf")

    async def until(self, holds: Callable[["Collector"], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: holds(self))

    async def one(self, name: str, trace_id: str | None = None) -> Span:
        """Once it has come: the only span of that name, of the trace."""
        await self.until(lambda _: bool(self.named(name, trace_id)))
        (found,) = self.named(name, trace_id)
        return found

    def named(self, name: str, trace_id: str | None = None) -> list[Span]:
        return [span for span in self.spans if span.name == name and trace_id in (None, span.trace_id)]

    def below(self, span: Span) -> set[str]:
        return {each.name for each in self.spans if each.parent_id == span.span_id}


def _facts(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def _span(span: Any) -> Span:
    return Span(
        span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), _facts(span.attributes),
        tuple(link.span_id.hex() for link in span.links), span.kind, span.status.code,
        span.start_time_unix_nano, span.end_time_unix_nano,
    )  # fmt: skip


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    application = web.Application(client_max_size=2**26)
    application.add_routes([web.post("/v1/traces", collector.handle)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()
