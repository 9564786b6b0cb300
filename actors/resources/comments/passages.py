"""A range of a text, and where it is after the text was edited. Pure.

Both texts are compared line by line, and within lines that differ word by word. A range moves with what is before it,
and grows or shrinks with what is changed inside of it. Where it is gone, its words may stand elsewhere in the text.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from actors import limits
from actors.resources.artifacts.json_diff import equal_pairs
from actors.resources.proposals.hunks import hunks, lines_of

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Region:
    """Characters that gave way to others."""

    start: int
    stop: int
    new_start: int
    new_stop: int

    @property
    def shift(self) -> int:
        """How far it moves what comes after it."""
        return (self.new_stop - self.new_start) - (self.stop - self.start)


def moved(regions: Sequence[Region], start: int, end: int) -> Span | None:
    """Where characters `start` to `end` are after these changes; None where all of them are gone."""
    if any(_holds(region, start, end) for region in regions):
        return None
    new_start, new_end = _first(regions, start), _last(regions, end)
    return (new_start, new_end) if new_start < new_end else None


def _holds(region: Region, start: int, end: int) -> bool:
    """Whether the range, and more than it, gave way to something else."""
    return region.start <= start and end <= region.stop and (region.start, region.stop) != (start, end)


def _first(regions: Sequence[Region], at: int) -> int:
    """What is inserted right before a range stays outside of it."""
    shift = 0
    for region in regions:
        if region.start <= at < region.stop:
            return region.new_start
        if region.start > at:
            break
        shift += region.shift
    return at + shift


def _last(regions: Sequence[Region], at: int) -> int:
    shift = 0
    for region in regions:
        if region.start < at < region.stop:
            return region.new_stop
        if region.start >= at:
            break
        shift += region.shift
    return at + shift


def quoted(text: str, quote: str, before: str, after: str) -> Span | None:
    """Where the words stand: once in the text, or once with what stood around them."""
    for lead, tail in ("", ""), (before, after):
        wanted = f"{lead}{quote}{tail}"
        at = text.find(wanted)
        if at >= 0 and text.find(wanted, at + 1) < 0:
            return at + len(lead), at + len(lead) + len(quote)
    return None


# What was changed


def changes(before: str, after: str) -> list[Region]:
    """From the first to the last. Takes up to 0.3 s for texts of 256 KiB."""
    return list(_regions(before, after))


def _regions(before: str, after: str) -> Iterator[Region]:
    for place in _merged(_lines_changed(before, after), before):
        gone, come = before[place.start : place.stop], after[place.new_start : place.new_stop]
        yield from _words_changed(gone, come, place.start, place.new_start)


def _lines_changed(before: str, after: str) -> Iterator[Region]:
    old = [0, *accumulate(map(len, lines_of(before)))]
    shift = 0
    for hunk in hunks(before, after):
        start = 0 if hunk.kind == "value" else old[hunk.start]
        gone, come = sum(map(len, hunk.before)), sum(map(len, hunk.after))
        yield Region(start, start + gone, start + shift, start + shift + come)
        shift += come - gone


def _merged(places: Iterable[Region], before: str) -> list[Region]:
    """Blank lines between two changes say little: any blank line equals any other, also one that is new. Compared
    word by word, both changes and what is between them are one, as long as that is short."""
    merged: list[Region] = []
    for place in places:
        last = merged[-1] if merged else None
        if last and place.stop - last.start <= limits.COMMENT_WORDS and before[last.stop : place.start].isspace():
            merged[-1] = Region(last.start, place.stop, last.new_start, place.new_stop)
        else:
            merged.append(place)
    return merged


def _words_changed(gone: str, come: str, start: int, new_start: int) -> Iterator[Region]:
    one, other = _WORDS.findall(gone), _WORDS.findall(come)
    head = _alike(one, other)
    tail = _alike(one[head:][::-1], other[head:][::-1])
    start += sum(map(len, one[:head]))
    new_start += sum(map(len, other[:head]))
    one, other = one[head : len(one) - tail], other[head : len(other) - tail]
    olds = list(accumulate(map(len, one), initial=start))
    news = list(accumulate(map(len, other), initial=new_start))
    for i1, i2, j1, j2 in _matched(one, other):
        yield Region(olds[i1], olds[i2], news[j1], news[j2])


def _matched(one: list[str], other: list[str]) -> list[tuple[int, int, int, int]]:
    if not one and not other:
        return []
    is_long = max(len(one), len(other)) > limits.COMMENT_WORDS
    if is_long or equal_pairs(one, other) > limits.COMMENT_WORDS * (len(one) + len(other)):
        return [(0, len(one), 0, len(other))]
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return _joined(matcher.get_opcodes(), one)


def _joined(opcodes: Iterable[tuple[str, int, int, int, int]], one: list[str]) -> list[tuple[int, int, int, int]]:
    """What is changed. A space that two changed words have between them was not kept: it belongs to the change."""
    changed: list[tuple[int, int, int, int]] = []
    for tag, i1, i2, j1, j2 in opcodes:
        if tag == "equal":
            continue
        if changed and not _has_word(one[changed[-1][1] : i1]):
            first, _, new_first, _ = changed.pop()
            changed.append((first, i2, new_first, j2))
        else:
            changed.append((i1, i2, j1, j2))
    return changed


def _has_word(tokens: Sequence[str]) -> bool:
    return any(token[0].isalnum() for token in tokens)


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for word, its in zip(one, other, strict=False):
        if word != its:
            break
        count += 1
    return count
