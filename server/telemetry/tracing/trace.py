"""A span while it is open: of a command, or of a request to another server."""

import time
from collections.abc import Mapping

from opentelemetry.trace import SpanContext, SpanKind
from opentelemetry.util.types import AttributeValue

Attributes = dict[str, AttributeValue]


class Trace:
    """What spans below it need, and what is said of it at its end. Never holds content, a secret or a name."""

    __slots__ = ("attributes", "began", "context", "is_faulty", "is_open", "kind", "name", "parent")

    def __init__(
        self, name: str, context: SpanContext, *, parent: SpanContext | None = None,
        kind: SpanKind = SpanKind.INTERNAL, attributes: Attributes | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.context = context
        self.parent = parent
        self.kind = kind
        self.attributes: Attributes = attributes or {}
        self.began = time.time_ns()
        self.is_open = True
        self.is_faulty = False
        """Whether it ended by a fault of this server, or of the one that was asked."""

    @property
    def is_recorded(self) -> bool:
        return self.context.trace_flags.sampled

    @property
    def trace_id(self) -> str:
        return f"{self.context.trace_id:032x}"

    @property
    def span_id(self) -> str:
        return f"{self.context.span_id:016x}"

    def answered(self, status: int) -> None:
        """With an HTTP status. A refusal (4xx) is no fault of the server, but of the client."""
        self.attributes["http.response.status_code"] = status
        self.is_faulty = self.is_faulty or status >= (400 if self.kind is SpanKind.CLIENT else 500)

    def failed(self, code: str, *, is_faulty: bool) -> None:
        """`code` of an error; never its sentence, which may quote what a client sent."""
        self.attributes["error.type"] = code
        self.is_faulty = is_faulty

    def headers(self) -> Mapping[str, str]:
        """Of a request below it (W3C Trace Context)."""
        context = self.context
        headers = {"traceparent": f"00-{self.trace_id}-{self.span_id}-{context.trace_flags:02x}"}
        if context.trace_state:
            headers["tracestate"] = context.trace_state.to_header()
        return headers
