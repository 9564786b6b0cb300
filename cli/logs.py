"""Logging: one line an event, text on a terminal, JSON elsewhere; every line of a request has its correlation id."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

from server.middleware import correlation_id


def configure(level: str, form: str) -> None:
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_correlation_id,
    ]
    renderer: list[Any] = (
        [structlog.dev.ConsoleRenderer()]
        if as_text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_dumps)]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Pykka tells every exception that an ask answers, with a traceback: whoever asked tells what it means.
    logging.getLogger("pykka").setLevel(logging.WARNING)


def _dumps(value: object, **_: object) -> str:
    return orjson.dumps(value, default=str).decode()


def _add_correlation_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    chosen = correlation_id.get()
    if chosen:
        event["correlation_id"] = chosen
    return event
