"""Where mail is handed over: `smtp://USER:PASSWORD@HOST:587` (STARTTLS), `smtps://…` (TLS), `smtp+plain://…`."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

PORTS: Final = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_EXPECTED: Final = "expected smtp://USER:PASSWORD@HOST:587, smtps://… or, to a relay of your own, smtp+plain://…"


@dataclass(frozen=True, slots=True)
class MailServer:
    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)


def parse(text: str) -> MailServer:
    """Raises `ValueError`."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(_EXPECTED) from None
    is_bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in PORTS or not parts.hostname or port == 0 or not is_bare:
        raise ValueError(_EXPECTED)
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return MailServer(parts.scheme, parts.hostname, port or PORTS[parts.scheme], user or None, password)
