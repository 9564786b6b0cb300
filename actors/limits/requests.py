"""Requests over HTTP: headers, bodies, JSON, idempotency keys."""

from typing import Final

from actors.limits.units import KIB

URL_CHARS: Final = 2048
JSON_DEPTH: Final = 32
"""Deeper than any block layout; stops a body made to exhaust a parser's stack."""
IDEMPOTENCY_KEY_CHARS: Final = 255
IDEMPOTENCY_SECONDS: Final = 24 * 3600
BODY_BYTES: Final = 512 * KIB
"""The largest valid message (content, blocks, metadata), escaped, with room."""
FIELD_ERRORS: Final = 200
"""Told one by one. A body can have 60,000 wrong fields: a sentence for each takes 0.25 s and 2.6 MB."""
HEAD_BYTES: Final = 64 * KIB
"""A request's first line and headers; a token is at most 8 KiB of it."""
HEAD_LINE_BYTES: Final = 8190
"""As most proxies have it."""
HEADERS: Final = 100
PROXIES_IN_A_ROW: Final = 32
"""As far as X-Forwarded-For is read, from its right end."""
STRANGER_BODY_BYTES: Final = 16 * KIB
"""Of an unauthenticated client: an address, a password, a token."""
