"""The trace of the command that is being served. Imports no OpenTelemetry: log lines ask it, with traces off, too."""

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.telemetry.tracing.trace import Trace

current: ContextVar["Trace | None"] = ContextVar("trace", default=None)


def open_trace() -> "Trace | None":
    """Timers and tasks that a request has started outlive it, and inherit its context: what they do is no part of
    it."""
    trace = current.get()
    return trace if trace is not None and trace.is_open else None


def trace_id() -> str:
    """32 hexadecimal digits; empty where nothing is traced."""
    trace = open_trace()
    return "" if trace is None else trace.trace_id


def span_id() -> str:
    trace = open_trace()
    return "" if trace is None else trace.span_id


def note_error(code: str) -> None:
    """Of the answer to the command that is being served; whether it is a fault of the server, its status says."""
    trace = open_trace()
    if trace is not None:
        trace.failed(code, is_faulty=False)
