"""What a proposal changes, in hunks that are accepted one by one; and what becomes of them on a newer version. Pure.

A hunk names its place in the base: the version that the proposal was made against. Hunks of one comparison never touch
each other, so any choice of them can be applied. A newer version is compared with the same base: a hunk that touches a
hunk of that comparison is in conflict, all others are applied together with them.

`applied(a, hunks(a, b))` is b, where 1, 1.0 and true are three values.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from actors import limits
from actors.resources.artifacts import json_diff, json_patch

Path = tuple[str | int, ...]
HunkKind = Literal["value", "items", "lines"]
Standing = Literal["clean", "conflict", "done"]
"""On the newest version: it can be applied; something else was changed there; the same was changed already."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """A value of the content, items of a list, or lines of a text, that give way to others."""

    kind: HunkKind
    path: Path
    """Of the value; or of the list or the text."""
    start: int
    """Of items and lines: the first one that goes, counted from 0; 0 of a value."""
    before: tuple[Any, ...]
    """What goes: a value has one, or none where there was none."""
    after: tuple[Any, ...]

    @property
    def pointer(self) -> str:
        return json_patch.pointer([str(part) for part in self.path])

    @property
    def stop(self) -> int:
        return self.start + len(self.before)

    @property
    def _place(self) -> Path:
        return self.path if self.kind == "value" else (*self.path, self.start)


# Comparing


def hunks(before: Any, after: Any) -> tuple[Hunk, ...]:
    """What leads from one content to another, in the order of their places."""
    found = sorted(_compare(before, after, ()), key=lambda hunk: (hunk._place, hunk.kind))
    return tuple(found)


def _compare(a: Any, b: Any, path: Path) -> Iterator[Hunk]:
    if isinstance(a, dict) and isinstance(b, dict):
        yield from _compare_objects(a, b, path)
    elif isinstance(a, list) and isinstance(b, list):
        yield from _compare_items(a, b, path)
    elif isinstance(a, str) and isinstance(b, str) and ("\n" in a or "\n" in b):
        yield from _compare_lines(a, b, path)
    elif not json_diff.same(a, b):
        yield Hunk("value", path, 0, (a,), (b,))


def _compare_objects(a: dict[str, Any], b: dict[str, Any], path: Path) -> Iterator[Hunk]:
    for name in a:
        if name not in b:
            yield Hunk("value", (*path, name), 0, (a[name],), ())
    for name, value in b.items():
        if name in a:
            yield from _compare(a[name], value, (*path, name))
        else:
            yield Hunk("value", (*path, name), 0, (), (value,))


def _compare_items(a: list[Any], b: list[Any], path: Path) -> Iterator[Hunk]:
    for start, before, after in json_diff.replaced(a, b):
        if len(before) == len(after) and all(map(_is_revised, before, after)):
            for index, (one, other) in enumerate(zip(before, after, strict=True), start):
                yield from _compare(one, other, (*path, index))
        else:
            yield Hunk("items", path, start, tuple(before), tuple(after))


def _is_revised(before: Any, after: Any) -> bool:
    """Whether it is the same item, changed: an object that is called and typed as it was."""
    both = isinstance(before, dict) and isinstance(after, dict)
    return both and all(json_diff.same(before.get(name), after.get(name)) for name in ("id", "type"))


def _compare_lines(a: str, b: str, path: Path) -> Iterator[Hunk]:
    one, other = lines_of(a), lines_of(b)
    start = _alike(one, other)
    end = _alike(one[start:][::-1], other[start:][::-1])
    one, other = one[start : len(one) - end], other[start : len(other) - end]
    for first, last, new_first, new_last in _matched(one, other):
        yield Hunk("lines", path, start + first, tuple(one[first:last]), tuple(other[new_first:new_last]))


def _matched(a: list[str], b: list[str]) -> list[tuple[int, int, int, int]]:
    if not a and not b:
        return []
    if max(len(a), len(b)) > limits.PROPOSAL_LINES:
        return [(0, len(a), 0, len(b))]
    matcher = difflib.SequenceMatcher(None, a, b)  # its junk heuristic bounds texts of one line, repeated
    return [(i1, i2, j1, j2) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"]


def _alike(a: Sequence[str], b: Sequence[str]) -> int:
    count = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        count += 1
    return count


def lines_of(text: str) -> list[str]:
    """By line feeds alone, which stay at their ends, so that joining them is the text."""
    *whole, last = text.split("\n")
    return [line + "\n" for line in whole] + ([last] if last else [])


# Applying


def applied(base: Any, chosen: Iterable[Hunk]) -> Any:
    """The content after hunks that do not touch each other; `base` is not changed itself."""
    root = [json_patch.copied(base)]
    for hunk in sorted(chosen, key=lambda hunk: (hunk._place, bool(hunk.before)), reverse=True):
        _apply(root, hunk)
    return root[0]


def _apply(root: list[Any], hunk: Hunk) -> None:
    """Places that come later in the content come first, so that each place is still as it was in the base."""
    holder, key = _holder(root, hunk.path)
    if hunk.kind == "items":
        holder[key][hunk.start : hunk.stop] = map(json_patch.copied, hunk.after)
    elif hunk.kind == "lines":
        lines = lines_of(holder[key])
        lines[hunk.start : hunk.stop] = hunk.after
        holder[key] = "".join(lines)
    elif hunk.after:
        holder[key] = json_patch.copied(hunk.after[0])
    else:
        del holder[key]


def _holder(root: list[Any], path: Path) -> tuple[Any, Any]:
    holder: Any = root
    key: Any = 0
    for part in path:
        holder, key = holder[key], part
    return holder, key


# On a newer version


def merged(base: Any, newest: Any, chosen: Sequence[Hunk]) -> Any:
    """`newest` with the chosen hunks; none of them is in conflict."""
    theirs = hunks(base, newest)
    mine = [hunk for hunk in chosen if not any(_is_same(hunk, other) for other in theirs)]
    return applied(base, (*mine, *theirs))  # of two insertions at one place, the one there stays first


def standings(base: Any, newest: Any, proposed: Sequence[Hunk]) -> tuple[Standing, ...]:
    """Of each hunk. `base` and `newest`: contents."""
    theirs = hunks(base, newest)
    return tuple(_standing(hunk, theirs) for hunk in proposed)


def _standing(hunk: Hunk, theirs: Sequence[Hunk]) -> Standing:
    if any(_is_same(hunk, other) for other in theirs):
        return "done"
    if len(theirs) > limits.PROPOSAL_REWRITTEN:
        return "conflict"
    return "conflict" if any(_touch(hunk, other) for other in theirs) else "clean"


def _is_same(a: Hunk, b: Hunk) -> bool:
    place = (a.kind, a.path, a.start, len(a.before)) == (b.kind, b.path, b.start, len(b.before))
    return place and json_diff.same(list(a.after), list(b.after))


def _touch(a: Hunk, b: Hunk) -> bool:
    if a.kind == "value" or b.kind == "value" or a.path != b.path:
        return _is_within(a, b) or _is_within(b, a)
    if not a.before and not b.before:
        return False  # two insertions at one place: both are kept
    return a.start < b.stop and b.start < a.stop if a.before and b.before else _cuts(a, b) or _cuts(b, a)


def _is_within(inner: Hunk, outer: Hunk) -> bool:
    """Whether `outer` takes away the place of `inner`."""
    depth = len(outer.path)
    if inner.path[:depth] != outer.path:
        return False
    if outer.kind == "value":
        return True
    if len(inner.path) == depth:
        return False
    index = inner.path[depth]
    return isinstance(index, int) and outer.start <= index < outer.stop


def _cuts(insertion: Hunk, other: Hunk) -> bool:
    return not insertion.before and other.start < insertion.start < other.stop
