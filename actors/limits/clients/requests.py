"""Requests over HTTP: headers, bodies, JSON, idempotency keys."""

from typing import Final

from actors.limits.units import KIB

URL_CHARS: Final = 2048
"""What browsers and proxies pass on for sure."""
JSON_DEPTH: Final = 32
"""Deeper than any block layout; stops a body made to exhaust a parser's stack."""
IDEMPOTENCY_KEY_CHARS: Final = 255
"""A UUID has 36; some clients join several ids."""
IDEMPOTENCY_SECONDS: Final = 24 * 3600
"""A client that has not heard for a day asks what is there."""
BODY_BYTES: Final = 512 * KIB
"""The largest valid message (content, blocks, metadata), escaped, with room."""
FIELD_ERRORS: Final = 200
"""Listed one by one. A body can have 60,000 wrong fields: a sentence for each takes 0.25 s and 2.6 MB."""
HEAD_BYTES: Final = 64 * KIB
"""A request's first line and headers; a token is at most 8 KiB of it."""
HEAD_LINE_BYTES: Final = 8190
"""As most proxies have it."""
HEADERS: Final = 100
"""Browsers send about 20, proxies add a few."""
PROXIES_IN_A_ROW: Final = 32
"""As far as X-Forwarded-For is read, from its right end."""
STRANGER_BODY_BYTES: Final = 16 * KIB
"""Of an unauthenticated client: an address, a password, a token."""
PREFLIGHT_SECONDS: Final = 7_200
"""How long a browser may remember a preflight; Chromium takes no more."""
USER_AGENT_CHARS: Final = 256
"""Of the header that is kept with a session, to tell devices apart."""
