"""How many tokens a text is, about: models differ, and none of their tokenizers is a dependency of a server.

A token is taken for four characters of ASCII and of accented Latin, two of other alphabets, and one of Chinese,
Japanese, Korean and emoji; and a word for 1.3 tokens at least. English prose comes out a little high, source code and
base64 up to a third low: leave a model some room. A longer text never counts less: characters added anywhere add to it.
"""

import re
from typing import Final

ELLIPSIS: Final = "…"

_WIDE = re.compile("[\u2e80-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U0001f000-\U0003ffff]+")
_OTHER = re.compile("[\u0370-\u2e7f\ud800-\uf8ff\ufb00-\ufe2f\ufe50-\ufeff\ufff0-\U0001efff\U00040000-\U0010ffff]+")
_BREAK = re.compile(rf"\s|{_WIDE.pattern.removesuffix('+')}")

# Twentieths of a token
_TOKEN, _NARROW, _HALF, _WORD = 20, 5, 10, 26


def tokens(text: str) -> int:
    """About how many tokens; 0 for nothing."""
    if text.isascii():
        return -(-max(_NARROW * len(text), _WORD * len(text.split())) // _TOKEN)
    wide = sum(map(len, _WIDE.findall(text)))
    other = sum(map(len, _OTHER.findall(text)))
    words = len(_WIDE.sub(" ", text).split())
    alphabetic = _NARROW * (len(text) - wide - other) + _HALF * other
    return -(-(max(alphabetic, _WORD * words) + _TOKEN * wide) // _TOKEN)


def cut(text: str, room: int) -> str:
    """The text where it has at most `room` tokens; else its beginning, up to the end of a word, and an ellipsis.

    Nothing where not even one word fits. A word that alone has no room is cut within.
    """
    if tokens(text) <= room:
        return text
    low, high = 0, min(len(text), _TOKEN * max(room, 0) // _NARROW)
    while low < high:
        middle = (low + high + 1) // 2
        if tokens(text[:middle] + ELLIPSIS) <= room:
            low = middle
        else:
            high = middle - 1
    beginning = text[: _word_end(text, low)].rstrip()
    return beginning + ELLIPSIS if beginning else ""


def _word_end(text: str, end: int) -> int:
    """The last place up to `end` at which a word ends: before a space, or beside a character that is a word itself."""
    if _BREAK.match(text, end) or end == 0:
        return end
    ends = [match.end() for match in _BREAK.finditer(text, 0, end)]
    return ends[-1] if ends else end
