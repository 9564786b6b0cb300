"""How well something fits: BM25 without its statistics, and half of it for each month of age.

Every result has every word that was asked for, so how rare a word is among the results tells nothing; among all
documents it would show all users how often others write it. So a score depends on the search and the document alone:
it is the same on every page, whatever is written meanwhile. Halving by age keeps an order that time does not change:
logarithms of scores are compared, and the present moment is the same share of all of them.
"""

from math import log2

HALF_LIFE_MS = 30 * 24 * 3600 * 1000
_SATURATION, _LENGTH_MATTERS, _USUAL_CHARS = 1.2, 0.75, 200
"""k1 and b of BM25 as they usually are; and the length of a usual message."""
_STEPS = 1_000_000


def worth(hits: int, chars: int) -> float:
    """More hits are worth more, each less than the one before; in a long text a hit is worth less."""
    length = 1 - _LENGTH_MATTERS + _LENGTH_MATTERS * chars / _USUAL_CHARS
    return hits * (_SATURATION + 1) / (hits + _SATURATION * length)


def rank(hits: int, chars: int, made_at: int) -> int:
    """Higher comes first. A whole number, so that a cursor tells it exactly."""
    return round(_STEPS * (log2(worth(max(hits, 1), chars)) + made_at / HALF_LIFE_MS))


def score(ranked: int, now: int) -> float:
    """What the rank means now: about 1 for a usual message that was just written."""
    return round(2 ** min(ranked / _STEPS - now / HALF_LIFE_MS, 10.0), 6)
