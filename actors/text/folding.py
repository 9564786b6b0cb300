"""Text as the index sees it, the same for what is written and what is searched for.

Letters lose their accents, width and case. Scripts that are written without spaces become one word for each character,
so that a search for some of them in a row finds them wherever they stand; so do emoji, by their number. The tokenizer
of FTS5 does the rest: words, and their English stems.
"""

import unicodedata
from itertools import accumulate

from actors import limits
from actors.text.normal import compatible, composed, segments, taken_apart

TOKENIZER = "porter unicode61 remove_diacritics 2 categories 'L* N* Mn Mc'"
"""Marks are part of a word: many Indian vowels are marks. As the migration has it."""

_WITHOUT_SPACES = (
    range(0x0E00, 0x0F00),  # Thai, Lao
    range(0x1000, 0x10A0),  # Myanmar
    range(0x1780, 0x1800),  # Khmer
    range(0x3005, 0x3008),  # marks that repeat a character
    range(0x3040, 0x3130),  # Kana, Bopomofo
    range(0x31A0, 0x3200),
    range(0x3400, 0xA000),  # Han
    range(0xAC00, 0xD7B0),  # Hangul
    range(0xF900, 0xFB00),
    range(0x1B000, 0x1B170),
    range(0x20000, 0x40000),
)
_ACCENTS = (
    range(0x0300, 0x0900),  # over Latin, Greek, Cyrillic; points of Hebrew and Arabic
    range(0x1AB0, 0x1B00),
    range(0x1DC0, 0x1E00),
    range(0x20D0, 0x2100),
    range(0xFE00, 0xFE30),
    range(0xE0100, 0xE01F0),
)
_ALIKE = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "ŋ": "n", "ŧ": "t", "æ": "ae", "œ": "oe",
    "þ": "th",
}  # fmt: skip
"""Letters that people leave the stroke away from, which Unicode does not take apart."""
_PICTURES = (range(0x2300, 0x2400), range(0x2600, 0x27C0), range(0x2B00, 0x2C00), range(0x1F000, 0x20000))
"""Where emoji are. Frames, arrows and the like stay what stands between words."""
_TATWEEL = "\u0640"  # stretches an Arabic word, and means nothing
_SKIN_TONES = range(0x1F3FB, 0x1F400)


class _Folding(dict[int, str]):
    """For `str.translate`: learns a character when it comes for the first time."""

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        if len(self) < limits.FOLDINGS_REMEMBERED:
            self[code] = folded
        return folded


def _fold(character: str) -> str:
    category, code = unicodedata.category(character), ord(character)
    if category in ("Cc", "Co", "Zl", "Zp") or character == "\u200b":
        return " "
    if category == "Cf" or character == _TATWEEL or code in _SKIN_TONES or _within(character, _ACCENTS, "M"):
        return ""
    if _within(character, _PICTURES, "So"):
        return f" u{code:x} "
    parts = taken_apart(character).casefold()
    plain = "".join(_ALIKE.get(part, part) for part in parts if not _within(part, _ACCENTS, "M"))
    return "".join(f" {part} " if _within(part, _WITHOUT_SPACES) else part for part in composed(plain))


def _within(character: str, ranges: tuple[range, ...], category: str = "") -> bool:
    code = ord(character)
    return any(code in each for each in ranges) and unicodedata.category(character).startswith(category)


_FOLDING = _Folding()


def fold(text: str) -> str:
    """For the index. ASCII goes as it is: the tokenizer knows its capitals."""
    return text if text.isascii() else compatible(text).translate(_FOLDING)


def starts(text: str) -> list[int]:
    """Where each character of a composed text begins once it is folded; and at the end where the last one ends."""
    if text.isascii():
        return list(range(len(text) + 1))
    if compatible(text) == text:
        return [0, *accumulate(len(_FOLDING[ord(character)]) for character in text)]
    places, at = [], 0
    for segment in segments(text):
        places.append(at)
        at += len(fold(segment))
        places += [at] * (len(segment) - 1)  # what has become one with the character before it
    return [*places, at]


VERSION = f"3, Unicode {unicodedata.unidata_version}"
"""An index of another version is rebuilt: a message is removed from it by the same words as it was added."""
