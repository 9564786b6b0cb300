"""The error catalogue as people read it: what each code means on the wire, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from actors.errors import CODES, Unavailable, XpError
from server.http.problems import slug, wire_codes

WHAT_TO_DO: Mapping[str, str] = {
    "invalid_request": "Read the sentence in `detail`; sending the same again is no use.",
    "malformed": "Send JSON in UTF-8; `detail` says where reading stopped.",
    "validation_failed": "`errors` names each field and what it expects.",
    "too_large": "Send less; the limit is in `detail`.",
    "unsupported_media_type": "Send `Content-Type: application/json`.",
    "idempotency_key_reused": "Use a new key for a new request.",
    "unauthenticated": "Sign in, and send the token.",
    "token_expired": "Fetch or refresh the token, then send the request again.",
    "unknown_key": "The token's `kid` is not among the issuer's keys; fetch a new token.",
    "forbidden": "Ask somebody who may.",
    "domain_not_allowed": "An operator adds the domain to `ALLOWED_DOMAINS`.",
    "origin_not_allowed": (
        "An operator adds the page's origin to `ALLOWED_ORIGINS`. That holds for Bearer tokens, too: a browser asks "
        "for the page before it sends one."
    ),
    "not_a_writer": "An owner of the thread makes you MEMBER.",
    "scope_missing": "Use a key that has the scope, or sign in as a person.",
    "refresh_reused": "Sign in again: somebody used this refresh token before, so its session was ended.",
    "not_found": "It is not there, or you may not know that it is.",
    "method_not_allowed": "`Allow` names the methods of the path.",
    "conflict": "Read the present state again.",
    "id_taken": "Leave the id out, or make a new one.",
    "email_taken": "Use the user that has the address.",
    "already_member": "PATCH the member to change the role.",
    "last_owner": "Make another member OWNER first.",
    "last_admin": "Give another user the role ADMIN first.",
    "built_in_user": "Nothing: the built-in user System stays as it is.",
    "thread_closed": "An owner sets the thread to ACTIVE.",
    "user_deleted": "A deleted user stays deleted; make a new one.",
    "message_deleted": "A deleted message stays deleted.",
    "message_streaming": "Wait for `message.completed`, or stop the message first.",
    "answer_streaming": "Wait for `message.completed`, or stop the message that is being written.",
    "human_in_control": "A person answers here now; wait until the thread is handed over (`control.changed`).",
    "not_streaming": "The message was completed or stopped; write a new one.",
    "stream_gap": "Send what follows the text so far; `detail` says how long that is.",
    "stale_version": "Read the resource again, then update with its new ETag.",
    "unavailable": "Retry after `Retry-After` seconds.",
    "overloaded": "Retry after `Retry-After` seconds, with some jitter. Nothing was done.",
    "rate_limited": "Slow down; retry after `Retry-After` seconds.",
    "storage_unavailable": "Retry; nothing was written. Operators find the cause in `/health/ready`.",
    "shutting_down": "Reconnect, and send it again; nothing was written.",
    "internal": "A defect of ours: report it with the `trace_id`. Safe to retry with an idempotency key.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    code: str
    slug: str
    """In the problem's `type`, and in the address of its page."""
    title: str
    status: int
    """HTTP."""
    error: int
    """Of the WebSocket protocol."""
    is_retryable: bool
    what_to_do: str


def _entry(code: str, kind: type[XpError]) -> Entry:
    wire = wire_codes(kind.__new__(kind))
    return Entry(
        code, slug(code), kind.title, wire.status, wire.error, issubclass(kind, Unavailable), WHAT_TO_DO.get(code, "")
    )


ENTRIES: tuple[Entry, ...] = tuple(_entry(code, kind) for code, kind in CODES.items())
BY_SLUG: Mapping[str, Entry] = {entry.slug: entry for entry in ENTRIES}
