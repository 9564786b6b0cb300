"""Examples for the documents of the API, made from the schemas, so that none is ever out of date.

What a schema does not say follows from a field's name: a title is "Launch plan", not "string".
"""

from collections.abc import Mapping
from typing import Any, Final

from server.api_docs.json_schemas import REFERENCE, Schema

THREAD_ID: Final = "cmwta8kex000053uaxsb10oqw"
MESSAGE_ID: Final = "cmwta8kf2000153uahq0v8d3m"
USER_ID: Final = "cmwta8kdz000053uabt5n7c1r"
SOME_ID: Final = "cmwta8kf9000253uaz4m6p2yk"
ID_PATTERN: Final = "^c[0-9a-z]{24}$"
TIME: Final = "2026-11-23T07:00:00.000Z"
EMAIL: Final = "ana@rpotential.ai"

_TEXTS: Final[Mapping[str, str]] = {
    "thread_id": THREAD_ID,
    "message_id": MESSAGE_ID,
    "user_id": USER_ID,
    "actor_id": USER_ID,
    "correlation_id": SOME_ID,
    "trace_id": SOME_ID,
    "title": "Launch plan",
    "content": "The plan is ready, have a look.",
    "name": "Ana",
    "user_name": "Ana",
    "actor_name": "Ana",
    "email": EMAIL,
    "domain": "rpotential.ai",
    "avatar_url": "https://rpotential.ai/ana.png",
    "url": "https://rpotential.ai/hooks",
    "emoji": "👍",
    "address": "203.0.113.7",
    "user_agent": "Mozilla/5.0",
    "password": "correct horse battery",
    "current_password": "correct horse battery",
    "new_password": "staple correct horse",
    "link": "xpl_hB4…",
    "sha256": "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9",
    "refresh_token": "xpr_Zk0…",
    "token": "eyJhbGciOiJIUzI1NiJ9…",
    "channel": f"thread:{THREAD_ID}",
    "client": SOME_ID,
    "session": SOME_ID,
    "node": SOME_ID,
    "access_token": "eyJhbGciOiJIUzI1NiJ9…",
    "key": "xpk_9Qw…",
    "prefix": "xpk_9Qw1",
    "credential": "token",
    "code": "validation_failed",
    "version": "0.1.0",
    "transport": "websocket",
    "action": "update_user",
    "target_kind": "user",
    "target_id": USER_ID,
    "because": "The user is OWNER of the thread.",
    "jti": "8c1d4c0e",
    "hash": "9f86d081884c7d65",
    "api": "v1",
    "messages": f"/api/v1/users/{USER_ID}/export/messages",
    "type": "message.created",
    "reload": "/api/v1/threads",
    "epoch": "cmwta8kdq000053uatt1w0c9x",
}
_COUNTS: Final[Mapping[str, int]] = {
    "offset": 17, "last_read_offset": 17, "version": 1, "count": 1, "message_count": 12, "expires_in": 900,
    "limit": 30, "ping": 25, "ttl": 900,
}  # fmt: skip
_OBJECTS: Final[Mapping[str, Any]] = {
    "merge": {"abstract": None},
    "metadata": {"project": "apollo"},
    "conn_info": {"name": "Ana", "kind": "HUMAN"},
    "links": {"health": "/health"},
    "errors": {},
    "features": {"rate_limits": True},
    "checks": {"database": {"status": "ok", "reason": None}},
    "actor": {"id": USER_ID, "name": "Ana", "kind": "HUMAN"},
    "data": {"id": MESSAGE_ID, "thread_id": THREAD_ID, "content": "The plan is ready, have a look."},
}
_NULL: Final = frozenset(
    {
        "after", "api_key_id", "avatar_url", "before", "blocks", "deleted_at", "edited_at", "last_message",
        "last_used_at", "next_cursor", "parent_id", "reason", "scopes",
    }
)  # fmt: skip
"""What may be null, and is most of the time."""
_EMPTY: Final = frozenset({"files", "reasons", "refusals"})
_LIKELY: Final = frozenset({"COMPLETE", "MEMBER"})
"""Values that are typical, though they are not the first that a schema names."""
_IDS: Final[Mapping[str, str]] = {"Author": USER_ID, "User": USER_ID, "Message": MESSAGE_ID, "Thread": THREAD_ID}
"""Resource → its example's id."""

REQUESTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "login": {"email": EMAIL, "password": "correct horse battery"},
    "create_thread": {"title": "Launch plan", "metadata": {"project": "apollo"}},
    "create_artifact": {
        "type": "REPORT",
        "title": "Sales in May",
        "content": {"sections": [{"type": "markdown", "text": "They *rose*."}]},
    },
    "validate_artifact": {"type": "INSIGHT", "content": {"summary": "Sales *rose* in May."}},
    "subscribe_to_push": {
        "endpoint": "https://push.example.com/send/dGVzdA",
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
        "name": "Phone",
    },
    "create_schedule": {
        "thread_id": THREAD_ID, "content": "Good morning", "local_time": "2027-03-29T09:00",
        "time_zone": "Europe/Berlin",
    },
    "create_user": {"email": "eli@rpotential.ai", "name": "Eli", "kind": "HUMAN"},
    "add_member": {"user_id": USER_ID, "role": "MEMBER"},
    "create_api_key": {"name": "Nightly import", "scopes": ["read", "write"], "expires_in": 2_592_000},
}  # fmt: skip
"""Operation → the body of a typical request, where the fields that it must have make none."""


class Examples:
    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def request(self, operation: str, body: Schema) -> Any:
        """The parameters that the operation requires, or one that it takes where it requires none."""
        if operation in REQUESTS:
            return dict(REQUESTS[operation])
        properties = body.get("properties", {})
        names = body.get("required") or list(properties)[:1]
        return {name: self.of(properties[name], name) for name in names}

    def of(self, schema: Schema, name: str = "") -> Any:
        """A value that the schema allows, for a field of that name."""
        if "$ref" in schema:
            return self.of(self._schemas[schema["$ref"].removeprefix(REFERENCE)], name)
        if "anyOf" in schema:
            return self._variant(schema["anyOf"], name)
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if values:
            return next((value for value in values if value in _LIKELY), values[0])
        match schema.get("type"):
            case "object":
                return self._object(schema, name)
            case "array":
                return [] if name in _EMPTY else [self.of(schema["items"], name.removesuffix("s"))]
            case "string":
                return _text(schema, name)
            case "number":
                return 0.5
            case "integer":
                return _COUNTS.get(name, schema.get("default", schema.get("minimum", 0)))
            case "boolean":
                return schema.get("default", True)
        return None

    def _variant(self, variants: list[Schema], name: str) -> Any:
        if name in _NULL and {"type": "null"} in variants:
            return None
        return self.of(variants[0], name)

    def _object(self, schema: Schema, name: str) -> Any:
        if "properties" not in schema:
            return _OBJECTS.get(name, {})
        made = {inner: self.of(found, inner) for inner, found in schema["properties"].items()}
        if schema.get("title") in _IDS:
            made["id"] = _IDS[schema["title"]]
        return made


def _text(schema: Schema, name: str) -> str:
    if "examples" in schema:
        return str(schema["examples"][0])
    if schema.get("format") == "date-time":
        return TIME
    if schema.get("format") == "uri":
        return "https://experience.rpotential.dev/problems/not-found"
    if schema.get("pattern") == ID_PATTERN:
        return _TEXTS.get(name, SOME_ID)
    return _TEXTS.get(name, str(schema.get("default", "…")))
