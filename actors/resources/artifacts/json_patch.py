"""JSON Patch (RFC 6902): what a document becomes by operations.

Pure, and bounded: a patch of a few hundred bytes cannot make a document of gigabytes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from actors import limits

Operation = dict[str, Any]
DEPTH: Final = 2 * limits.JSON_DEPTH
"""Levels of a document while it is patched; whether the result may have as many, its own rules say."""
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


def pointer(path: Sequence[str]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
