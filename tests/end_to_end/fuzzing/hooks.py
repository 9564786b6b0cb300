"""What Schemathesis is told about this API: who asks, which ids and cursors lead somewhere, and what no schema can say.

Loaded by its command line (`hooks` in schemathesis.toml), in a process of its own.
"""

import gc
import itertools
import json
import os
import re
from typing import Any

import schemathesis
from hypothesis import strategies
from schemathesis.core.cache import BoundedCache
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import converter

from actors import limits
from tests.end_to_end.fuzzing.world import ID, World, bearer

WORLD = World(os.environ["FUZZED_URL"], *os.environ["FUZZED_AS"].split(":"))
STREAMS = (
    "/api/v1/threads/{thread_id}/events", "/api/v1/artifacts/{artifact_id}/events", "/api/v1/events",
    "/api/v1/users/me/events",
)  # fmt: skip
ETAG = re.compile(r'\*|(W/)?"[0-9]{1,18}(-[0-9a-f]{1,8})?"')
BEYOND = re.compile("[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")
"""Invisible characters that lines for people may not have, beyond the plane that every dialect of patterns can say."""
DOCUMENTS = ("/openapi", "/asyncapi", "/docs", "/problems")
"""What stands there is made up."""
LOG_LEVEL = "/api/v1/admin/log-level"
BOUNDS = ("cursor", "around", "before", "after")
FOLDED = 1000
"""Characters of a text up to which its length may become part of its pattern."""
_serial = itertools.count(1)
_with_length = converter.update_quantifier


def _short_with_length(pattern: str, shortest: int | None, longest: int | None) -> str:
    """Schemathesis writes lengths into patterns. Of 65,536 characters such a one takes half a second to compile, for
    each body with it; beside the pattern the length holds as well."""
    return _with_length(pattern, shortest, longest) if (longest or 0) <= FOLDED else pattern


converter.update_quantifier = _short_with_length


def _keep(cache: BoundedCache, key: Any, value: Any) -> None:
    cache._data[key] = value


# Schemathesis keeps the newest 16 to 128 of what it makes of schemas, and makes those of the next phase anew. All that
# there are in this document fit into memory. So does the garbage, for longer than until the next 700 objects.
BoundedCache.__setitem__ = _keep
gc.freeze()
gc.set_threshold(50_000, 20, 50)


def _written(before: str, between: str) -> strategies.SearchStrategy[str]:
    """The text of a message, piece by piece."""
    pieces = strategies.lists(strategies.text("abc é👍", max_size=20), max_size=5)
    return pieces.map(lambda texts: "".join(before + json.dumps({"text": text}) + between for text in texts))


schemathesis.openapi.format("emoji", strategies.sampled_from(["👍", "🎉", ":tada:", "🏳️‍🌈"]))
schemathesis.openapi.format("ndjson", _written("", "\n"))
schemathesis.openapi.format("event-stream", _written("data: ", "\n\n"))


@schemathesis.auth(refresh_interval=None)
class Bearer:
    """A token of its own for each request, so that signing out ends this one alone."""

    def get(self, case: Any, context: Any) -> dict[str, str]:
        return bearer(WORLD.name, WORLD.role)

    def set(self, case: Any, data: dict[str, str], context: Any) -> None:
        case.headers = {**(case.headers or {}), **data}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if session := kwargs.get("session"):
        session.trust_env = False  # else it looks for proxies and for a .netrc before each request
    _lead_somewhere(case)
    if case.path in STREAMS:
        case.headers["Last-Event-ID"] = "another-1"  # cannot be served: the stream says so at once, and may be left
    _keep_the_line_short(case.query or {})
    if case.path == "/connection/http_stream" and isinstance(case.body, dict):
        case.body.update({"id": 1, "connect": {"token": "nonsense"}})  # else it waits: for connect, or for commands
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        _mend_headers(case.headers)
        _mend_query(case.path, case.query or {})
        _mend_body(case.body)


def _lead_somewhere(case: Any) -> None:
    """Ids that nobody has told become those of things that are there."""
    for name, value in (case.path_parameters or {}).items():
        if isinstance(value, str) and ID.fullmatch(value) and not WORLD.knows(value, case.method):
            case.path_parameters[name] = WORLD.of(case.path, name) or value


def _keep_the_line_short(query: Any) -> None:
    """Parameters that are short enough by themselves may be too long together."""
    if len(str(query)) > limits.HEAD_LINE_BYTES // 2:
        query.update({name: value[:500] for name, value in query.items() if isinstance(value, str)})


def _mend_headers(headers: Any) -> None:
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = f"key-{next(_serial)}"  # the same one with another request is refused
    if not ETAG.fullmatch(headers.get("If-Match", "*")):
        headers["If-Match"] = "*"  # Schemathesis sends 0, and takes it for good: against the pattern


def _mend_query(path: str, query: Any) -> None:
    """Cursors are opaque: good are those that an answer had. Of bounds there may be one."""
    if isinstance(query.get("cursor"), str) and len(query["cursor"]) <= 200:
        query.pop("cursor")
        if path in WORLD.cursors and path != "/api/v1/search":  # whose cursor is good for the same search alone
            query["cursor"] = WORLD.cursors[path]
    if path == "/api/v1/search" or (path.endswith(("/artifacts", "/files")) and "q" in query):
        query["q"] = "x"  # a letter or so, which a text need not have
    if "/messages" in path:
        for name in [name for name in BOUNDS if name in query][1:]:
            query.pop(name)


def _mend_body(body: Any) -> None:
    """In place: for Schemathesis a body that was put there by somebody else is another request."""
    for key, value in _items(body):
        if isinstance(value, int | float) and abs(value) >= 2**63:
            body[key] = 2**63 - 1  # larger ones are refused wherever they stand, which no schema of an object can say
        elif isinstance(value, float) and value.is_integer():
            body[key] = int(value)  # JSON has one kind of number; 3.0 is how only Python writes an integer
        elif isinstance(value, str) and key in ("name", "title", "reason", "label"):
            body[key] = BEYOND.sub("x", value)
        _mend_body(value)
    if isinstance(body, dict) and isinstance(body.get("url"), str):
        body["url"] = "https://receiver.invalid/"  # a URL that has a host, a port that exists, and no user name
    if isinstance(body, dict) and isinstance(memory := body.get("memory"), dict):
        memory.pop("pins", None)  # are messages of the thread
        memory.pop("summary_up_to", None)  # is an offset that the thread has reached
        for fact in filter(lambda fact: isinstance(fact, dict), memory.get("facts", ())):
            fact.pop("id", None)  # is another one for each


def _items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    if response.status_code < 300 and case.path != "/" and not case.path.startswith(DOCUMENTS):
        sent = f"{case.path_parameters} {case.query} {case.body}"
        WORLD.learn(case.path, case.method, sent, response.content.decode(errors="replace"))
        if case.path == LOG_LEVEL and case.method == "PUT":
            WORLD.restore_log_level()


@schemathesis.serializer("application/x-ndjson", "text/event-stream", "application/offset+octet-stream")
def _as_it_is(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
