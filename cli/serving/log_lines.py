"""Logging: one line an event, text on a terminal, JSON elsewhere; every line of a request has its correlation id."""

import contextlib
import logging
import sys
import time
from collections.abc import Iterator

import orjson

from server.api.render import iso_time
from server.http.middleware import correlation_id
from server.http.problems import visible
from server.telemetry.error_groups import ErrorGroups, ErrorHandler
from server.telemetry.tracing import current as tracing


def configure(level: str, form: str) -> None:
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextLine() if as_text else JsonLine())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Pykka logs every exception that is the reply to an ask, with a traceback: the caller reports what it means.
    logging.getLogger("pykka").setLevel(logging.WARNING)
    # Peewee tells every statement with its values: what people wrote, and hashes of what they sign in with.
    logging.getLogger("peewee").setLevel(logging.INFO)
    # Each migration, also of the schema in memory that others are compared with; what was applied is one line of ours.
    logging.getLogger("peewee.migrations").setLevel(logging.WARNING)


@contextlib.contextmanager
def noted_errors(groups: ErrorGroups) -> Iterator[None]:
    """Group the exceptions that are logged, while inside."""
    handler = ErrorHandler(groups, correlation_id.get)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


class JsonLine(logging.Formatter):
    """An object a line: event, level, logger, timestamp, and where there are such, correlation_id, trace_id, span_id
    and exception."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": iso_time(int(record.created * 1000)),
        }
        chosen = correlation_id.get()
        if chosen:
            line["correlation_id"] = chosen
        if traced := tracing.trace_id():
            line |= {"trace_id": traced, "span_id": tracing.span_id()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(_sayable(line)).decode()


class TextLine(logging.Formatter):
    """What a person reads: local time, level, logger, event."""

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%H:%M:%S", time.localtime(record.created))
        chosen = correlation_id.get()
        line = f"{when} {record.levelname:7} {record.name}: {visible(record.getMessage())}" + (
            f"  [{chosen}]" if chosen else ""
        )
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _sayable(line: dict[str, str]) -> dict[str, str]:
    """Text of clients may hold halves of characters, which JSON cannot."""
    return {name: text.encode(errors="replace").decode() for name, text in line.items()}
