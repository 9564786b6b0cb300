"""Traces as the standard variables `OTEL_*` want them: off without an endpoint."""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from actors import limits
from server.http.throttled_log import ThrottledLog

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

    from server.telemetry.tracing.tracer import SpanTracer

logger = logging.getLogger("server.tracing")
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
NAME: Final = "experience-server"
"""Of the service, where OTEL_SERVICE_NAME names none."""
_LOGGERS = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.exporter.otlp.common.http",
    "opentelemetry.sdk._shared_internal",
)  # fmt: skip


class MissingExtra(Exception):
    def __init__(self) -> None:
        super().__init__("OTEL_EXPORTER_OTLP_ENDPOINT requires the extra `otel`: pip install 'experience-server[otel]'")


class Tracing:
    """The tracer, and what exports its spans."""

    def __init__(self, tracer: "SpanTracer", processor: "BatchSpanProcessor", exporter: "SpanExporter") -> None:
        self.tracer = tracer
        self._processor = processor
        self._exporter = exporter

    async def close(self) -> None:
        """Export what is left; a collector that does not take it holds the end up for a moment only."""
        loop, flushed = asyncio.get_running_loop(), asyncio.Event()

        def flush() -> None:
            self._processor.shutdown()  # type: ignore[no-untyped-call]  # of the SDK
            with contextlib.suppress(RuntimeError):  # the event loop has not waited, and has ended
                loop.call_soon_threadsafe(flushed.set)

        threading.Thread(target=flush, name="traces", daemon=True).start()
        try:
            async with asyncio.timeout(limits.TRACE_FLUSH_SECONDS):
                await flushed.wait()
        except TimeoutError:
            logger.warning("traces that the collector has not taken in %s s were lost", limits.TRACE_FLUSH_SECONDS)
            self._exporter.shutdown()  # ends its wait for the next attempt


def are_wanted(environment: Mapping[str, str]) -> bool:
    """Raises `ValueError` for what this server cannot do."""
    if not any(environment.get(name, "").strip() for name in ENDPOINTS):
        return False
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    kind = environment.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    if kind not in ("otlp", "none"):
        raise ValueError(f"OTEL_TRACES_EXPORTER: expected otlp or none, got {kind!r}")
    for name in PROTOCOLS:
        protocol = environment.get(name, "").strip()
        if protocol not in ("", "http/protobuf"):
            raise ValueError(f"{name}: expected http/protobuf, got {protocol!r}")
    return kind == "otlp"


def open_tracing(version: str) -> Tracing:
    """As the environment says. Raises `MissingExtra`."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingExtra from error
    from server.telemetry.tracing.tracer import SpanTracer

    _quiet()
    known = {"service.version": version}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        known["service.name"] = NAME
    provider = TracerProvider(resource=Resource.create(known), shutdown_on_exit=False)
    exporter = OTLPSpanExporter()
    processor = BatchSpanProcessor(exporter)
    return Tracing(SpanTracer(provider, processor, version), processor, exporter)


class _Counted(logging.Filter):
    """A collector that is away is one line once in a while, not three for each batch."""

    def __init__(self) -> None:
        super().__init__()
        self._throttled = ThrottledLog(logger, logging.WARNING)

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING:
            self._throttled.log("export", "traces are lost or late: %s", record.getMessage())
        return False


def _quiet() -> None:
    counted = _Counted()
    for name in _LOGGERS:
        of_sdk = logging.getLogger(name)
        of_sdk.filters = [counted]
