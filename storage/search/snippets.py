"""The excerpt of a text that best shows the match, in pieces, so that no client renders user text as markup."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from actors import limits
from actors.resources.search import Piece
from actors.text import folding
from storage.search.small_index import Span

_CUT = "…"


def snippet(text: str, hits: Sequence[Span]) -> tuple[Piece, ...]:
    """`text` is composed; hits are places in its folded form."""
    spans = _in_text(text, hits)
    start, end = _window(text, spans)
    pieces = list(_pieces(text, spans, start, end))
    if start > 0:
        pieces.insert(0, Piece(_CUT, False))
    if end < len(text):
        pieces.append(Piece(_CUT, False))
    return tuple(pieces)


def _in_text(text: str, hits: Sequence[Span]) -> list[Span]:
    """Where they stand in the text itself: folding makes a character longer, shorter or nothing."""
    if text.isascii():
        return list(hits)
    starts = folding.starts(text)
    last = len(starts) - 1
    return [(bisect_right(starts, a, hi=last) - 1, _past(starts, b)) for a, b in hits]


def _past(starts: Sequence[int], end: int) -> int:
    """The first character that is not of the hit; accents that were left out belong to the letter before them."""
    at = bisect_left(starts, end)
    while at < len(starts) - 1 and starts[at + 1] == starts[at]:
        at += 1
    return at


def _window(text: str, spans: Sequence[Span]) -> Span:
    """Where most hits stand together; from a word's beginning to a word's end, where there is one near."""
    if len(text) <= limits.SNIPPET_CHARS:
        return 0, len(text)
    start = max(0, min(_densest(spans) - limits.SNIPPET_CHARS_BEFORE, len(text) - limits.SNIPPET_CHARS))
    if start > 0:
        start = _after_space(text, start, start + limits.SNIPPET_CHARS_BEFORE // 2)
    end = min(start + limits.SNIPPET_CHARS, len(text))
    return start, end if end == len(text) else _before_space(text, end - limits.SNIPPET_CHARS_BEFORE // 2, end)


def _densest(spans: Sequence[Span]) -> int:
    best, most, last = 0, 0, 0
    for first, (start, _) in enumerate(spans):
        while last < len(spans) and spans[last][1] <= start + limits.SNIPPET_CHARS - 2 * limits.SNIPPET_CHARS_BEFORE:
            last += 1
        if last - first > most or most == 0:
            best, most = start, max(last - first, 1)
    return best


def _after_space(text: str, start: int, end: int) -> int:
    found = text.find(" ", start, end)
    return start if found < 0 else found + 1


def _before_space(text: str, start: int, end: int) -> int:
    found = text.rfind(" ", start, end)
    return end if found < 0 else found


def _pieces(text: str, spans: Sequence[Span], start: int, end: int) -> Iterator[Piece]:
    at = start
    for hit_start, hit_end in spans:
        first, last = max(hit_start, at), min(hit_end, end)
        if first < last:
            if at < first:
                yield Piece(text[at:first], False)
            yield Piece(text[first:last], True)
            at = last
    if at < end:
        yield Piece(text[at:end], False)
