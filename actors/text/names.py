"""What a name is: how one is compared, and which beginnings of a text may be one. Pure.

Names are compared without regard to case, form (composed or not, full-width or not) and the kind of apostrophe or
hyphen. Where a name ends is not the same everywhere: many scripts have no spaces, particles follow a name without one
(`bo님`), and so do endings after an apostrophe (`Ali’nin`). So a text gives several candidates, and the longest that a
member bears is meant.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from actors import limits
from actors.text.normal import compatible

_JOINERS: Final = frozenset(".+-'·・‧")
"""May stand inside of a name, one at a time."""
_ALIKE: Final = str.maketrans(
    dict.fromkeys("\u2019\u2018\u201b\u02bc\u02bb\u02b9\u2032\u00b4\u05f3\uff07\ua78c", "'")
    | dict.fromkeys("\u2010\u2011\u2212\ufe63\uff0d", "-")
    | dict.fromkeys("\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0e\ufe0f", "")
    | dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "")
)
"""Apostrophes, hyphens, and what takes no room."""
_TURKISH: Final = str.maketrans("\u0131", "i")
"""The small letter of I in Turkish, and that of İ, which is written with a dot of its own, are not told apart: in
capitals they change places."""
_BETWEEN: Final = "\u0f0b"
"""Between the syllables of a Tibetan word."""
_DENSE: Final = (
    range(0x0E00, 0x1100),  # Thai, Lao, Tibetan, Myanmar
    range(0x1100, 0x1200),  # Hangul: it has spaces, but particles follow a name without one
    range(0x1780, 0x1800),  # Khmer
    range(0x2190, 0x2C00),  # signs and pictures
    range(0x3005, 0x3008),
    range(0x3040, 0xA4D0),  # Kana, Bopomofo, Hangul, Han, Yi
    range(0xAC00, 0xD800),
    range(0xF900, 0xFB00),
    range(0x1B000, 0x1B170),
    range(0x1F000, 0x40000),  # pictures, Han
)
"""Scripts in which a word may end between any two characters."""
_LATIN, _GREEK, _CYRILLIC, _ARABIC = 1, 2, 3, 6
_SCRIPTS: Final = ((0x0370, _LATIN), (0x0400, _GREEK), (0x0530, _CYRILLIC), (0x0590, 4), (0x0600, 5), (0x0800, _ARABIC))
"""(first character of the next one, script)."""


_SIMPLE: Final = re.compile(r"[A-Za-z0-9]+(?=[ \n,:;!?)*])")
"""A word, and a sign after which no name goes on: that is most of them."""


def handles(name: str, email: str) -> tuple[str, str]:
    """The handles by which `@name` finds a user: the name without spaces, and the local part of the e-mail address."""
    return comparable("".join(name.split())), comparable(email.partition("@")[0])


def comparable(name: str) -> str:
    """The same for all ways of writing a name."""
    if name.isascii():
        return name.lower().rstrip(".+-'")
    folded = compatible(plain(name).casefold()).translate(_TURKISH).replace("i\u0307", "i")
    return "".join(folded.split()).rstrip(".+-'·・‧" + _BETWEEN)


def plain(text: str) -> str:
    """The text with one kind of apostrophe, hyphen, @ and width."""
    return text if text.isascii() else compatible(text.translate(_ALIKE))


def is_word(character: str) -> bool:
    """Whether it may be part of a name."""
    return character.isalnum() or character in ("_", _BETWEEN) or unicodedata.category(character)[0] == "M"


def is_dense(character: str) -> bool:
    code = ord(character)
    return code >= 0x0E00 and any(code in each for each in _DENSE)


def run(text: str, start: int) -> str:
    """All that may be a name, from there on; the text is plain."""
    simple = _SIMPLE.match(text, start, start + limits.HANDLE_CHARS)
    if simple is not None:
        return simple[0]
    end = start
    while end < len(text) and end - start < limits.HANDLE_CHARS and _goes_on(text, start, end):
        end += 1
    return text[start:end]


def _goes_on(text: str, start: int, at: int) -> bool:
    character = text[at]
    if is_word(character) or _is_picture(character):
        return True
    if at > start and character in _JOINERS:
        return at + 1 < len(text) and _joins(text[at - 1], text[at + 1])
    return False


def _is_picture(character: str) -> bool:
    return unicodedata.category(character) == "So" or "\U0001f3fb" <= character <= "\U0001f3ff"  # tones of skin


def _joins(before: str, after: str) -> bool:
    """Whether a sign between them may be part of one name: `Jean-Luc`, but no full stop before another script."""
    return is_word(before) and is_word(after) and not _is_end(before, after, dense=is_dense(before) != is_dense(after))


def candidates(found: str) -> tuple[str, ...]:
    """Comparable names that a run may begin with, the longest first."""
    if found.isascii() and found.isalnum():
        return (found.lower(),)
    kept = dict.fromkeys(filter(None, (comparable(found[:end]) for end in _ends(found))))
    return tuple(kept)


def _ends(found: str) -> Iterator[int]:
    """Where the name may end, the farthest first. Not at a hyphen or a full stop: Anna-Maria is not Anna."""
    yield len(found)
    for end in range(len(found) - 1, 0, -1):
        before, after = found[end - 1], found[end]
        if after == "'":
            if _is_ending(found[:end], found[end + 1 :]):
                yield end
        elif after == "_" and not found[end:].strip("_"):
            yield end  # emphasis ends here
        elif after in _JOINERS or before in _JOINERS:
            if "'" not in (before, after):
                return
        elif _is_end(before, after, dense=is_dense(before) or is_dense(after)):
            yield end


def _is_end(before: str, after: str, *, dense: bool) -> bool:
    if unicodedata.category(after)[0] == "M":
        return False
    if dense:
        return True
    one, other = _script(before), _script(after)
    return one is not None and other is not None and one != other


def _is_ending(name: str, ending: str) -> bool:
    """`bo's`, `Ali'nin`: what follows is small, and there is a name before it. `O'Brien` is one name."""
    return ending[:1].islower() and (len(name) > 1 or ending == "s")


def _script(character: str) -> int | None:
    """A number for each script that has spaces; None for what goes with any, such as digits and marks."""
    if not character.isalpha():
        return None
    code = ord(character)
    for until, number in _SCRIPTS:
        if code < until:
            return number
    if 0x1E00 <= code < 0x1F00:
        return _LATIN
    if 0x1F00 <= code < 0x2000:
        return _GREEK
    return _ARABIC if 0xFB50 <= code < 0xFF00 else code >> 7
