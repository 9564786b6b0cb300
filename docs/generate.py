"""Writes the generated parts of the docs: `make docs`. A test fails when they lag behind the code."""

from collections.abc import Callable
from pathlib import Path

from actors.errors import CODES, Unavailable, XpError
from cli.settings import SETTINGS
from server import operations
from server.problems import slug, wire_codes

DOCS = Path(__file__).parent
WHAT_TO_DO = {
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
    "origin_not_allowed": "An operator adds the page's origin to `ALLOWED_ORIGINS`, or the page sends a Bearer token.",
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
    "thread_closed": "An owner sets the thread to ACTIVE.",
    "message_deleted": "A deleted message stays deleted.",
    "stale_version": "Read the resource again, then update with its new ETag.",
    "unavailable": "Retry after `Retry-After` seconds.",
    "overloaded": "Retry after `Retry-After` seconds, with some jitter. Nothing was done.",
    "rate_limited": "Slow down; retry after `Retry-After` seconds.",
    "storage_unavailable": "Retry; nothing was written. Operators find the cause in `/health/ready`.",
    "shutting_down": "Reconnect, and send it again; nothing was written.",
    "internal": "A defect of ours: report it with the `trace_id`. Safe to retry with an idempotency key.",
}


def errors() -> str:
    lines = []
    for code, kind in CODES.items():
        wire = wire_codes(_example(kind))
        retry = "yes" if issubclass(kind, Unavailable) else "no"
        lines.append(f"## {slug(code)}\n")
        lines.append(
            f"{kind.title}. Code `{code}`, HTTP {wire.status}, WebSocket error {wire.error}, retryable: {retry}.\n"
        )
        lines.append(f"{WHAT_TO_DO[code]}\n")
    return "\n".join(lines)


def _example(kind: type[XpError]) -> XpError:
    return kind.__new__(kind)


def table_of_operations() -> str:
    lines = ["| method and path | operation (RPC) | what it does |", "|---|---|---|"]
    for operation in operations.ALL:
        methods = " ".join(operation.methods)
        lines.append(f"| `{methods} {operation.path}` | `{operation.name}` | {operation.summary} |")
    return "\n".join(lines)


def table_of_settings() -> str:
    lines = ["| variable | flag | default | |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = f"`{setting.default}`" if setting.default else "–"
        lines.append(f"| `{setting.name}` | `{setting.flag}` | {default} | {setting.help} |")
    return "\n".join(lines)


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "api.md": {"operations": table_of_operations},
    "errors.md": {"errors": errors},
    "operations.md": {"settings": table_of_settings},
}
"""File → name of a part between `<!-- name -->` and `<!-- /name -->` → what makes it."""


def filled(file: str) -> str:
    """The file with its generated parts as the code has them now."""
    text = (DOCS / file).read_text()
    for name, make in PARTS[file].items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}{make().rstrip()}\n{end}{after}"
    return text


def main() -> None:
    for file in PARTS:
        (DOCS / file).write_text(filled(file))


if __name__ == "__main__":
    main()
