"""The operations of JSON Patch that lead from one document to another.

`diff(a, b)` is such that `patched(a, diff(a, b))` is b, where 1, 1.0 and true are three values.
"""

import difflib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Final

from actors.resources.artifacts.json_patch import Operation, pointer

MATCHED: Final = 200
"""Objects in a list up to which they are matched with those of another list; longer ones are compared in order."""
ALIKE: Final = 2
"""Equal pairs for each object of two lists, on average, up to which they are matched: matching looks at all of them
again and again."""


def same(a: Any, b: Any) -> bool:
    """Stricter: 1 and 1.0 are two values."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(inner, b[name]) for name, inner in a.items())
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def diff(before: Any, after: Any) -> list[Operation]:
    """Operations that make `after` of `before`."""
    return list(_diff(before, after, ()))


_Path = tuple[str, ...]


def _diff(a: Any, b: Any, path: _Path) -> Iterator[Operation]:
    if isinstance(a, dict) and isinstance(b, dict):
        yield from _diff_objects(a, b, path)
    elif isinstance(a, list) and isinstance(b, list):
        yield from _diff_lists(a, b, path)
    elif not same(a, b):
        yield {"op": "replace", "path": pointer(path), "value": b}


def _diff_objects(a: dict[str, Any], b: dict[str, Any], path: _Path) -> Iterator[Operation]:
    for name in a:
        if name not in b:
            yield {"op": "remove", "path": pointer((*path, name))}
    for name, value in b.items():
        if name in a:
            yield from _diff(a[name], value, (*path, name))
        else:
            yield {"op": "add", "path": pointer((*path, name)), "value": value}


def _diff_lists(a: list[Any], b: list[Any], path: _Path) -> Iterator[Operation]:
    """From the end to the beginning, so that each index is good when its turn comes."""
    for at, before, after in reversed(replaced(a, b)):
        yield from _replace_items(before, after, at, path)


def replaced(a: list[Any], b: list[Any]) -> list[tuple[int, list[Any], list[Any]]]:
    """(index in `a`, items there, items that take their place), in order."""
    start = _alike(zip(a, b, strict=False))
    end = _alike(zip(reversed(a[start:]), reversed(b[start:]), strict=False))
    a, b = a[start : len(a) - end], b[start : len(b) - end]
    return [(start + at, before, after) for at, before, after in _matched(a, b)] if a or b else []


def _alike(pairs: Any) -> int:
    count = 0
    for one, other in pairs:
        if not same(one, other):
            break
        count += 1
    return count


def _matched(a: list[Any], b: list[Any]) -> list[tuple[int, list[Any], list[Any]]]:
    """(index in `a`, items there, items that take their place), in order."""
    is_worth_it = len(a) <= MATCHED and len(b) <= MATCHED and all(isinstance(item, dict | list) for item in (*a, *b))
    if not is_worth_it:
        return [(0, a, b)]
    before, after = list(map(_canonical, a)), list(map(_canonical, b))
    if equal_pairs(before, after) > ALIKE * (len(a) + len(b)):
        return [(0, a, b)]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return [(i1, a[i1:i2], b[j1:j2]) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"]


def equal_pairs(a: Iterable[Hashable], b: Iterable[Hashable]) -> int:
    """How many (one of `a`, one of `b`) are equal: what a matcher may have to look at for each match that it finds."""
    counted = Counter(b)
    return sum(counted[item] for item in a)


def _canonical(value: Any) -> Any:
    """Two items are alike if their canonical forms are."""
    if isinstance(value, dict):
        return ("{", *sorted((name, _canonical(inner)) for name, inner in value.items()))
    if isinstance(value, list):
        return ("[", *map(_canonical, value))
    return (type(value).__name__, repr(value))


def _replace_items(before: list[Any], after: list[Any], start: int, path: _Path) -> Iterator[Operation]:
    both = min(len(before), len(after))
    for index in range(len(before) - 1, both - 1, -1):
        yield {"op": "remove", "path": pointer((*path, str(start + index)))}
    for index in range(both, len(after)):
        yield {"op": "add", "path": pointer((*path, str(start + index))), "value": after[index]}
    for index in range(both):
        yield from _diff(before[index], after[index], (*path, str(start + index)))
