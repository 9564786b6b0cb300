"""Reads of the database as spans."""

from typing import TypeVar

from actors.queries import Query, Reads
from server.telemetry.tracing.tracer import SpanTracer

T = TypeVar("T")


class TracedReads:
    """Implements `actors.queries.Reads`: a span for each query of a command, the wait for a reader included."""

    def __init__(self, reads: Reads, tracer: SpanTracer) -> None:
        self._reads = reads
        self._tracer = tracer

    async def ask(self, query: Query[T]) -> T:
        name = type(query).__name__
        with self._tracer.inside(f"database {name}", {"db.system.name": "sqlite", "db.operation.name": name}):
            return await self._reads.ask(query)
