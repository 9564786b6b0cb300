"""What parsing a text of Markdown costs, at most. Pure: a few searches of the text."""

from typing import Final

from actors import limits

_SIGNS: Final = b"\n!#$%&*+-:<=>@[\\]^_`{|}~"
"""Where a parser stops to look."""
_COSTLY: Final = "\n`[!<\\"
"""Where it looks ten times as long."""


def is_quick(text: str) -> bool:
    """Whether it is parsed in some milliseconds, whatever it says."""
    if len(text) > limits.MARKDOWN_CHARS:
        return False
    raw = text.encode(errors="replace")
    signs = len(raw) - len(raw.translate(None, _SIGNS))
    return signs + 9 * sum(map(text.count, _COSTLY)) <= limits.MARKDOWN_SIGNS


def cells(text: str) -> int:
    """Of tables in it, at most: each row is filled up to the width of the first."""
    if "|" not in text:
        return 0
    lines = text.split("\n")
    return len(lines) * (1 + max(line.count("|") for line in lines))
