"""What the parser of HTTP says, as clients and logs may have it."""

import re

_WHAT_CAME = re.compile(r":? b?['\"]")
"""Where the parser begins to quote."""


def in_one_line(error: BaseException | None) -> str:
    """For a sentence or a log line about what a client sent: what was wrong, and nothing of what came, which may hold
    a token or a password."""
    text = " ".join(str(getattr(error, "message", error or "")).split())
    return _WHAT_CAME.split(text, maxsplit=1)[0][:200]
