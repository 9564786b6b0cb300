"""JSON Patch (RFC 6902): what a document becomes by operations, and the operations that lead from one to another.

Pure, and bounded: a patch of a few hundred bytes cannot make a document of gigabytes.

`diff(a, b)` is such that `patched(a, diff(a, b))` is b, where 1, 1.0 and true are three values.
"""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from actors import limits

Operation = dict[str, Any]
DEPTH: Final = 2 * limits.JSON_DEPTH
"""Levels of a document while it is patched; whether the result may have as many, its own rules say."""
MATCHED: Final = 200
"""Objects in a list up to which they are matched with those of another list; longer ones are compared in order."""
ALIKE: Final = 2
"""Equal pairs for each object of two lists, on average, up to which they are matched: matching looks at all of them
again and again."""
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_ESCAPES: Final = re.compile(r"~(?![01])")


class PatchFailed(ValueError):
    """An operation cannot be applied. `index`: its place in the patch."""

    def __init__(self, index: int, sentence: str) -> None:
        super().__init__(sentence)
        self.index = index
        self.sentence = sentence


class _Refused(ValueError):
    """Why one operation is refused."""


# Applying


def patched(document: Any, operations: Sequence[Any]) -> Any:
    """The document after all operations; it is not changed itself. Raises `PatchFailed`."""
    patch = _Patch(document)
    for index, operation in enumerate(operations):
        try:
            patch.apply(operation)
        except _Refused as refusal:
            raise PatchFailed(index, str(refusal)) from None
    return patch.document


class _Patch:
    def __init__(self, document: Any) -> None:
        self.document = copied(document)
        self._room = 2 * limits.ARTIFACT_BYTES
        """Characters that operations may add in all."""
        self._carried = 0
        """Values that were moved: each is looked at again."""

    def apply(self, operation: Any) -> None:
        if not isinstance(operation, dict):
            raise _Refused("expected an object with `op` and `path`")
        apply = self._verbs().get(operation.get("op", ""), None) if isinstance(operation.get("op"), str) else None
        if apply is None:
            raise _Refused(f"expected `op` as one of {', '.join(self._verbs())}")
        apply(_tokens(operation, "path"), operation)

    def _verbs(self) -> Mapping[str, Callable[[list[str], Operation], None]]:
        return {
            "add": self._add, "remove": self._remove, "replace": self._replace, "move": self._move,
            "copy": self._copy, "test": self._test,
        }  # fmt: skip

    def _add(self, path: list[str], operation: Operation) -> None:
        self._put(path, self._taken(_value(operation)))

    def _remove(self, path: list[str], _: Operation) -> None:
        self._take(path)

    def _replace(self, path: list[str], operation: Operation) -> None:
        value = self._taken(_value(operation))
        _found(self.document, path)
        if not path:
            self.document = value
            return
        _must_be_shallow(path, value)
        parent = _found(self.document, path[:-1])
        parent[_key(parent, path[-1])] = value

    def _move(self, path: list[str], operation: Operation) -> None:
        source = _tokens(operation, "from")
        if path[: len(source)] == source and len(path) > len(source):
            raise _Refused("a value cannot move into itself")
        value = _found(self.document, source)
        self._carry(value)
        if source:
            self._take(source)
        self._put(path, value)

    def _copy(self, path: list[str], operation: Operation) -> None:
        self._put(path, self._taken(_found(self.document, _tokens(operation, "from"))))

    def _test(self, path: list[str], operation: Operation) -> None:
        if not equal(_found(self.document, path), _value(operation)):
            raise _Refused(f"the test of {pointer(path)!r} failed: another value is there")

    def _put(self, path: list[str], value: Any) -> None:
        if not path:
            self.document = value
            return
        _must_be_shallow(path, value)
        parent, last = _found(self.document, path[:-1]), path[-1]
        if isinstance(parent, dict):
            parent[last] = value
            return
        end = len(parent) if isinstance(parent, list) else 0
        index = end if last == "-" and isinstance(parent, list) else _key(parent, last, most=end)
        parent.insert(index, value)

    def _take(self, path: list[str]) -> None:
        _found(self.document, path)
        if not path:
            self.document = None
            return
        parent = _found(self.document, path[:-1])
        del parent[_key(parent, path[-1])]

    def _carry(self, value: Any) -> None:
        self._carried += _count(value)
        if self._carried > limits.PATCH_MOVED:
            raise _Refused(f"the operations move more than {limits.PATCH_MOVED} values")

    def _taken(self, value: Any) -> Any:
        """A copy, counted."""
        self._room -= _weight(value)
        if self._room < 0:
            raise _Refused(f"the operations add more than {2 * limits.ARTIFACT_BYTES} characters")
        return copied(value)


def _tokens(operation: Operation, name: str) -> list[str]:
    given = operation.get(name)
    if not isinstance(given, str) or (given and not given.startswith("/")) or _ESCAPES.search(given):
        raise _Refused(f"expected `{name}` as a JSON pointer (RFC 6901)")
    tokens = [part.replace("~1", "/").replace("~0", "~") for part in given.split("/")[1:]]
    if len(tokens) > DEPTH:
        raise _Refused(f"`{name}` may have at most {DEPTH} parts")
    return tokens


def _value(operation: Operation) -> Any:
    if "value" not in operation:
        raise _Refused("expected a `value`")
    return operation["value"]


def _found(document: Any, path: Sequence[str]) -> Any:
    for depth, token in enumerate(path):
        if not isinstance(document, dict | list):
            raise _Refused(f"there is nothing within {pointer(path[:depth])!r}")
        document = document[_key(document, token)]
    return document


def _key(parent: Any, token: str, most: int | None = None) -> Any:
    """Of what is there; `most`: the largest index that is good."""
    if isinstance(parent, dict):
        if token not in parent:
            raise _Refused(f"there is no member {token[:100]!r}")
        return token
    if not isinstance(parent, list):
        raise _Refused("a value without members cannot be changed within")
    last = len(parent) - 1 if most is None else most
    if _INDEX.fullmatch(token) is None or int(token) > last:
        raise _Refused(f"there is no item {token[:100]!r}, the last one is {last}")
    return int(token)


def _must_be_shallow(path: Sequence[str], value: Any) -> None:
    if len(path) + _depth(value) > DEPTH:
        raise _Refused(f"the document may be nested at most {DEPTH} levels deep")


def _depth(value: Any) -> int:
    if isinstance(value, dict | list):
        return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


def _count(value: Any) -> int:
    if isinstance(value, dict | list):
        return 1 + sum(map(_count, value.values() if isinstance(value, dict) else value))
    return 1


def _weight(value: Any) -> int:
    """About its characters as JSON, and never nothing: a list of empty texts takes memory, too."""
    if isinstance(value, dict):
        return 8 + sum(len(name) + _weight(inner) for name, inner in value.items())
    if isinstance(value, list):
        return 8 + sum(map(_weight, value))
    return len(value) + 3 if isinstance(value, str) else 8


def copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: copied(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [copied(inner) for inner in value]
    return value


def at(document: Any, path: str) -> Any:
    """What stands there, or None."""
    try:
        return _found(document, _tokens({"path": path}, "path"))
    except _Refused:
        return None


def equal(a: Any, b: Any) -> bool:
    """Equality by RFC 6902: numbers by value, objects without regard to the order of their members."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)


# Comparing


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


def pointer(path: Sequence[str]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
