"""Makes spans of commands, and of what is below them. Loaded only where traces are on.

Spans are written down when they have ended, with the times that were noted: nothing is made for a command that is not
sampled. The SDK's processor keeps a bounded number of them, and exports them from an OS thread of its own.
"""

import contextlib
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextvars import copy_context
from typing import Any, TypeVar

import pykka
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from actors import limits
from actors.errors import Internal, ShuttingDown, XpError
from actors.outcomes import Done
from actors.resources.notifications import Notification
from actors.runtime.future import LoopFuture
from server.http.problems import wire_codes
from server.telemetry.tracing.current import current, open_trace
from server.telemetry.tracing.in_context import InContext
from server.telemetry.tracing.trace import Attributes, Trace

T = TypeVar("T")
Reply = LoopFuture[Any]
Cause = int | str
"""Position of an event in the log, or id of a notification."""

_FAULTY, _FINE = Status(StatusCode.ERROR), Status(StatusCode.UNSET)
_SAMPLED, _NOT_SAMPLED = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT)
_propagator = TraceContextTextMapPropagator()


def remote_parent(headers: Mapping[str, str]) -> SpanContext | None:
    """Of `traceparent` and `tracestate`; what is none is passed over, as W3C Trace Context asks for."""
    if "traceparent" not in headers:
        return None
    carrier = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
    found = get_current_span(_propagator.extract(carrier, Context())).get_span_context()
    return found if found.is_valid else None


class SpanTracer:
    """Implements `actors.tracing.Tracer`."""

    def __init__(self, provider: TracerProvider, processor: SpanProcessor, version: str) -> None:
        self._sampler = provider.sampler
        self._ids = provider.id_generator
        self._resource = provider.resource
        self._processor = processor
        self._scope = InstrumentationScope("experience-server", version)
        self._causes: dict[Cause, SpanContext] = {}
        """What was committed lately → the command that caused it; the newest last."""

    # Commands

    @contextlib.contextmanager
    def serving(self, name: str, parent: SpanContext | None, attributes: Attributes) -> Iterator[Trace]:
        """One command, in this context."""
        trace = self._begin(name, SpanKind.SERVER, parent, attributes)
        token = current.set(trace)
        try:
            yield trace
        except BaseException as error:
            _fail(trace, error)
            raise
        finally:
            current.reset(token)
            self._end(trace)

    async def rpc(self, operation: str, transport: str, data: object, work: Coroutine[Any, Any, T]) -> T:
        """One command over a WebSocket, in a context of its own. `data` may name the client's span."""
        attributes: Attributes = {"xp.operation": operation, "xp.transport": transport}
        parent = remote_parent(_texts(data)) if isinstance(data, dict) else None
        trace = self._begin(operation, SpanKind.SERVER, parent, attributes)
        context = copy_context()
        context.run(current.set, trace)
        try:
            return await InContext(work, context)
        except BaseException as error:
            _fail(trace, error)
            raise
        finally:
            self._end(trace)

    # Below them

    @contextlib.contextmanager
    def outgoing(self, name: str, attributes: Attributes) -> Iterator[Trace]:
        """A request to another server, below the command that is being served or has caused it, else alone."""
        above = open_trace()
        trace = self._begin(name, SpanKind.CLIENT, None if above is None else above.context, attributes)
        try:
            yield trace
        except BaseException as error:
            trace.failed(type(error).__name__, is_faulty=True)
            raise
        finally:
            self._end(trace)

    @contextlib.contextmanager
    def inside(self, name: str, attributes: Attributes) -> Iterator[None]:
        """A part of the command that is being served; of nothing else there is a span."""
        above, began = open_trace(), time.time_ns()
        if above is None or not above.is_recorded:
            yield
            return
        try:
            yield
        except BaseException as error:
            attributes["error.type"] = type(error).__name__
            raise
        finally:
            self._record(above.context, name, began, time.time_ns(), attributes)

    @contextlib.contextmanager
    def caused_by(self, cause: Cause | None) -> Iterator[None]:
        """What is done inside belongs to the command that has caused it, where that is known."""
        context = None if cause is None else self._causes.get(cause)
        trace = None if context is None else Trace("", context)
        token = current.set(trace)
        try:
            yield
        finally:
            current.reset(token)

    # Writes

    def asked(self, reply: Reply) -> None:
        reply.trace = open_trace()

    def appended(self, reply: Reply) -> None:
        reply.appended = time.time_ns()

    def committed(self, replies: Sequence[Reply], taken: int, ended: int) -> None:
        """The transaction's span is below the first of its commands, and linked to each; theirs are linked to it."""
        found = [(reply, trace.context) for reply in replies if (trace := _recorded(reply)) is not None]
        if not found:
            return
        attributes: Attributes = {"db.system.name": "sqlite", "xp.batch.size": len(replies)}
        links = tuple(Link(context) for _, context in found)
        batch = self._record(found[0][1], "journal.batch", taken, ended, attributes, links)
        link = (Link(batch),)
        for reply, context in found:
            self._record(context, "journal.wait", reply.appended, taken)
            self._record(context, "journal.commit", taken, ended, attributes, link)

    @contextlib.contextmanager
    def publishing(self, committed: Sequence[tuple[Reply, Done[Any] | Exception]]) -> Iterator[None]:
        began = time.time_ns()
        try:
            yield
        finally:
            ended = time.time_ns()
            for reply, outcome in committed:
                if isinstance(reply.trace, Trace) and isinstance(outcome, Done):
                    self._published(reply.trace, outcome, began, ended)

    def _published(self, trace: Trace, outcome: Done[Any], began: int, ended: int) -> None:
        events = len(outcome.events) + len(outcome.user_events)
        if events:
            self._remember(outcome, trace.context)  # also what is not recorded: what it causes is not, either
            if trace.is_recorded:
                self._record(trace.context, "publication", began, ended, {"xp.events": events})

    def _remember(self, outcome: Done[Any], context: SpanContext) -> None:
        for event in outcome.events:
            self._causes[event.position] = context
        for told in outcome.user_events:
            if isinstance(told.data, Notification):
                self._causes[told.data.id] = context
        while len(self._causes) > limits.TRACE_CAUSES:
            del self._causes[next(iter(self._causes))]

    # Spans

    def _begin(self, name: str, kind: SpanKind, parent: SpanContext | None, attributes: Attributes) -> Trace:
        around = Context() if parent is None else set_span_in_context(NonRecordingSpan(parent), Context())
        trace_id = self._ids.generate_trace_id() if parent is None else parent.trace_id
        chosen = self._sampler.should_sample(around, trace_id, name, kind, attributes)
        flags = _SAMPLED if chosen.decision is Decision.RECORD_AND_SAMPLE else _NOT_SAMPLED
        context = SpanContext(
            trace_id, self._ids.generate_span_id(), is_remote=False, trace_flags=flags, trace_state=chosen.trace_state
        )
        return Trace(name, context, parent=parent, kind=kind, attributes=attributes)

    def _end(self, trace: Trace) -> None:
        trace.is_open = False
        if trace.is_recorded:
            self._processor.on_end(
                ReadableSpan(
                    trace.name, trace.context, trace.parent, self._resource, trace.attributes, kind=trace.kind,
                    status=_FAULTY if trace.is_faulty else _FINE, start_time=trace.began, end_time=time.time_ns(),
                    instrumentation_scope=self._scope,
                )
            )  # fmt: skip

    def _record(
        self, parent: SpanContext, name: str, began: int, ended: int,
        attributes: Attributes | None = None, links: Sequence[Link] = (),
    ) -> SpanContext:  # fmt: skip
        context = SpanContext(
            parent.trace_id, self._ids.generate_span_id(), is_remote=False, trace_flags=parent.trace_flags,
            trace_state=parent.trace_state,
        )  # fmt: skip
        span = ReadableSpan(
            name, context, parent, self._resource, attributes, links=links, start_time=began, end_time=ended,
            instrumentation_scope=self._scope,
        )  # fmt: skip
        self._processor.on_end(span)
        return context


def _recorded(reply: Reply) -> Trace | None:
    trace = reply.trace
    return trace if isinstance(trace, Trace) and trace.is_recorded else None


def _texts(data: Mapping[Any, Any]) -> dict[str, str]:
    return {name: data[name] for name in ("traceparent", "tracestate") if isinstance(data.get(name), str)}


def _fail(trace: Trace, error: BaseException) -> None:
    code, is_faulty = _code_of(error)
    trace.failed(code, is_faulty=is_faulty)


def _code_of(error: BaseException) -> tuple[str, bool]:
    """Of the catalogue, and whether it is a fault of this server."""
    match error:
        case XpError():
            return error.code, wire_codes(error).status >= 500
        case pykka.ActorDeadError():
            return ShuttingDown.code, True
        case Exception():
            return Internal.code, True
        case _:  # its client has gone
            return "cancelled", False
