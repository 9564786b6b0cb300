"""Text normalised, measured and called blank: the one place that asks Unicode for it. Pure, and linear in its size.

Normalising sorts the marks that stand in a row, in quadratic time: 250 KB of them block the process for ten
seconds. So runs of marks are cut first, as the Stream-Safe Text Format has it (https://unicode.org/reports/tr15/,
section 13): no language writes more than a few marks on a letter.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

from actors import limits

_WITH_MARKS: Final = (range(0x0300, 0x1F000), range(0xE0000, 0xE0200))
"""Planes and parts of them in which Unicode has marks."""
_AS_MARKS: Final = "\u0f73\u0f75\u0f81\uff9e\uff9f"
"""No marks themselves, but marks and nothing else once they are taken apart."""

_JAMO: Final = (*map(chr, range(0x1161, 0x1176)), *map(chr, range(0x11A8, 0x11C3)))
"""Vowels and ends of Korean syllables, which Unicode composes by arithmetic."""


def composed(text: str) -> str:
    """The same text, letters and their accents as one (NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", stream_safe(text))


def taken_apart(text: str) -> str:
    """What is only another form of a letter is that letter; accents follow their letters (NFKD)."""
    return text if text.isascii() else unicodedata.normalize("NFKD", stream_safe(text))


def compatible(text: str) -> str:
    """The same text in the usual form of each letter, whatever its width (NFKC)."""
    return text if text.isascii() else unicodedata.normalize("NFKC", stream_safe(text))


def segments(text: str) -> Iterator[str]:
    """Parts of a text that can be normalised one by one: a character, and what may become one with it."""
    return (found[0] for found in _segment().finditer(text))


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


@cache
def _segment() -> re.Pattern[str]:
    return re.compile(f"(?s:.)[{re.escape(''.join(sorted(_joining())))}]*")


def _joining() -> Iterator[str]:
    """All characters that may become one with what stands before them, or change places with it."""
    second, apart = set(_JAMO), {}
    for code in range(0x0300, 0x1F000):
        decomposition = unicodedata.decomposition(chr(code))
        if decomposition:
            apart[chr(code)] = unicodedata.normalize("NFKD", chr(code))[0]
            parts = decomposition.split()
            if len(parts) == 2 and not decomposition.startswith("<"):
                second.add(chr(int(parts[1], 16)))
    yield from _marks() | second
    yield from (each for each, first in apart.items() if first in second or unicodedata.combining(first))


# Seen, and not seen

UNSEEN: Final = (
    r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufeff\uffa0"
    r"\ufff9-\ufffb\ufffe\uffff"
)
"""Of a class of characters: what a line for people has no use for. Controls and ends of lines; what turns its direction
or takes no room in it: two names that look the same would differ by it. Joiners stay, scripts and emoji need them."""
EMPTY: Final = (
    UNSEEN + r"\u0020\u00a0\u034f\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u202f\u205f\u2800\u3000"
    r"\ufe00-\ufe0f\ufff0-\ufff8"
)
"""Of a class of characters: where there is nothing else, there is nothing to see."""
_VARIANTS: Final = r"\U000e0100-\U000e01ef"
"""After a Han character: the form in which a family writes its name."""
_BEYOND: Final = r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
"""As `UNSEEN`, beyond the first plane, which not every dialect of patterns can say."""
_HALVES: Final = r"\ud800-\udfff"
"""Of surrogate pairs: no characters. JSON requests cannot hold any, claims of a token can."""
_SEEN: Final = re.compile(f"[^{EMPTY}{_BEYOND}{_HALVES}{_VARIANTS}]")
_UNSEEN: Final = re.compile(f"[{UNSEEN}{_BEYOND}{_HALVES}]")
_REGION: Final = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f")
"""For example the flag of England: a black flag, and its name in invisible characters."""


def is_blank(text: str) -> bool:
    """Whether there is nothing to see: no letter, digit, sign or picture."""
    return _SEEN.search(text) is None


def unseen(text: str) -> str | None:
    """The first character that a name, a title or another line for people may not have, as `U+200B`; None where all
    may stay."""
    found = _UNSEEN.search(text)
    if found is not None and found[0] >= "\U000e0000":
        found = _UNSEEN.search(_REGION.sub("", text))
    return None if found is None else f"U+{ord(found[0]):04X}"


def line(text: str) -> str:
    """What can stay of a line that comes from elsewhere, and cannot be refused; empty where it is blank."""
    if unseen(text) is None:
        return "" if is_blank(text) else " ".join(text.split())
    kept = " ".join(_UNSEEN.sub(lambda found: " " if found[0].isspace() else "", text).split())
    return "" if is_blank(kept) else kept
