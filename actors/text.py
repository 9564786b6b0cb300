"""Text normalised: the one place that asks Unicode for it. Pure, and in time linear in the size of the text.

Normalising sorts the marks that stand in a row, in quadratic time: 250 KB of them take ten seconds, in which nobody
else is served. So runs of marks are cut first, as the Stream-Safe Text Format has it (https://unicode.org/reports/tr15/,
section 13): no language writes more than a few marks on a letter.
"""

import re
import unicodedata
from functools import cache
from typing import Final

from actors import limits

_WITH_MARKS: Final = (range(0x0300, 0x1F000), range(0xE0000, 0xE0200))
"""Planes and parts of them in which Unicode has marks."""
_AS_MARKS: Final = "\u0f73\u0f75\u0f81\uff9e\uff9f"
"""No marks themselves, but marks and nothing else once they are taken apart."""


def composed(text: str) -> str:
    """The same text, letters and their accents as one (NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", stream_safe(text))


def taken_apart(text: str) -> str:
    """What is only another form of a letter is that letter; accents follow their letters (NFKD)."""
    return text if text.isascii() else unicodedata.normalize("NFKD", stream_safe(text))


def stream_safe(text: str) -> str:
    """The same text, without what follows `limits.MARKS_IN_A_ROW` marks in a row.

    A longer run has a mark in every place that is looked at: that costs a thirtieth of a search.
    """
    if text.isascii() or _marks().isdisjoint(text[limits.MARKS_IN_A_ROW :: limits.MARKS_IN_A_ROW + 1]):
        return text
    return _runs().sub(lambda run: run[0][: limits.MARKS_IN_A_ROW], text)


@cache
def _marks() -> frozenset[str]:
    """10 ms, once: this Python's Unicode decides."""
    every = (chr(code) for codes in _WITH_MARKS for code in codes)
    return frozenset(_AS_MARKS) | frozenset(character for character in every if unicodedata.combining(character))


@cache
def _runs() -> re.Pattern[str]:
    return re.compile(f"[{re.escape(''.join(sorted(_marks())))}]{{{limits.MARKS_IN_A_ROW + 1},}}")
