"""The content of an artifact as a CRDT of Yjs (extra `collab`).

A Markdown text is the shared text `text`. An object is the shared map `body`: lists are shared arrays, objects shared
maps, and the fields that hold Markdown (`text`, `summary`, `abstract`, `excerpt`) shared texts; a row of a table, a
block, and a `spec` of a chart are values that are replaced as a whole. Numbers are as JavaScript has them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

import pycrdt
from pycrdt import Array, Doc, Map, Text

from actors import limits
from actors.errors import Malformed
from actors.resources.proposals.hunks import Hunk, applied, hunks

T = TypeVar("T")
_MARKDOWN: Final = frozenset({"text", "summary", "abstract", "excerpt"})
_WHOLE: Final = frozenset({"spec", "rows", "columns", "authors", "blocks"})
"""Fields whose value, or each item of whose list, is replaced as a whole."""


def _guarded(call: Callable[[], T]) -> T:
    """The CRDT is native code: what it cannot take is a `ValueError`, or a panic, which is no `Exception`."""
    try:
        return call()
    except BaseException as error:
        if isinstance(error, ValueError) or type(error).__name__ == "PanicException":
            raise Malformed(f"The edit cannot be read: {str(error)[:200]}.") from None
        raise


class YReplica:
    """Implements `actors.documents.ports.Replica`."""

    def __init__(self, document: "Doc[Any]") -> None:
        self._document = document
        self._text: Text = document.get("text", type=Text)
        self._body: Map[Any] = document.get("body", type=Map)
        self._size = 0
        self.whole()

    @classmethod
    def of(cls, content: Any) -> "YReplica":
        replica = cls(Doc())
        replica._begin(content)
        replica.whole()
        return replica

    @classmethod
    def stored(cls, state: bytes, edits: Sequence[bytes]) -> "YReplica":
        document: Doc[Any] = Doc()
        for edit in (state, *edits):
            _guarded(lambda edit=edit: document.apply_update(edit))  # type: ignore[misc]  # a lambda has no types
        return cls(document)

    @staticmethod
    def merged(edits: Sequence[bytes]) -> bytes:
        """Several edits in one. Raises `Malformed`."""
        return _guarded(lambda: pycrdt.merge_updates(*edits))

    def _begin(self, content: Any) -> None:
        with self._document.transaction():
            if isinstance(content, str):
                self._text += content
            else:
                for name, value in content.items():
                    self._body[name] = _shared(name, value)

    @property
    def size(self) -> int:
        return self._size

    def vector(self) -> bytes:
        return self._document.get_state()

    def missing(self, vector: bytes) -> bytes:
        return _guarded(lambda: self._document.get_update(vector))

    def whole(self) -> bytes:
        found = self._document.get_update()
        self._size = len(found)
        return found

    def apply(self, edit: bytes) -> None:
        self._size += len(edit)
        _guarded(lambda: self._document.apply_update(edit))

    def content(self) -> Any:
        """Raises `Malformed` where it is nested too deep to be one."""
        return _plain(self._body, 0) if len(self._body) else str(self._text)

    def towards(self, content: Any) -> bytes:
        other = YReplica.stored(self.whole(), ())
        other._revise(content)
        return other._document.get_update(self.vector())

    def _revise(self, content: Any) -> None:
        before = self.content()
        with self._document.transaction():
            if isinstance(before, str) != isinstance(content, str):
                self._clear()
                self._begin(content)
                return
            for hunk in reversed(hunks(before, content)):
                _apply(self._text if isinstance(content, str) else self._body, hunk)

    def _clear(self) -> None:
        self._text.clear()
        self._body.clear()


# A content as shared types


def _shared(name: str | None, value: Any) -> Any:
    if isinstance(value, str):
        return Text(value) if name in _MARKDOWN else value
    if name in _WHOLE:
        return Array(value) if isinstance(value, list) else value
    if isinstance(value, list):
        return Array([_shared(None, item) for item in value])
    if isinstance(value, dict):
        return Map({key: _shared(key, inner) for key, inner in value.items()})
    return value


def _plain(value: Any, depth: int) -> Any:
    if depth > limits.JSON_DEPTH:
        raise Malformed(f"The content is nested more than {limits.JSON_DEPTH} levels deep.")
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, Map | Mapping):
        return {str(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, Array | list):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if isinstance(value, str | bool | int | float | None) else str(value)


# A hunk on shared types


def _apply(root: Any, hunk: Hunk) -> None:
    """Within a value that is replaced as a whole, the whole is another one after it."""
    holder: Any = None
    found: Any = root
    for depth, part in enumerate(hunk.path):
        if not isinstance(found, Map | Array):
            return _set(holder, hunk.path[depth - 1], applied(found, [replace(hunk, path=hunk.path[depth:])]))
        if hunk.kind == "value" and depth == len(hunk.path) - 1:
            return _put(found, part, hunk)
        holder, found = found, found[part]  # type: ignore[index]  # of a map or an array, as the path says
    if hunk.kind == "value":
        _replace_text(root, hunk)
    elif hunk.kind == "items" and isinstance(found, Array):
        _replace_items(found, hunk)
    elif hunk.kind == "lines" and isinstance(found, Text):
        _replace_lines(found, hunk)
    else:
        _set(holder, hunk.path[-1], applied(found, [replace(hunk, path=())]))
    return None


def _replace_text(root: Any, hunk: Hunk) -> None:
    root.clear()
    root += hunk.after[0]


def _set(holder: Any, name: Any, value: Any) -> None:
    if isinstance(holder, Array):
        del holder[name]
        holder.insert(name, value)
    else:
        holder[name] = value


def _put(holder: Any, name: Any, hunk: Hunk) -> None:
    if hunk.after:
        _set(holder, name, _shared(name if isinstance(name, str) else None, hunk.after[0]))
    else:
        del holder[name]


def _replace_items(items: "Array[Any]", hunk: Hunk) -> None:
    del items[hunk.start : hunk.stop]
    is_whole = bool(hunk.path) and hunk.path[-1] in _WHOLE
    for offset, item in enumerate(hunk.after):
        items.insert(hunk.start + offset, item if is_whole else _shared(None, item))


def _replace_lines(text: Text, hunk: Hunk) -> None:
    """Places in a shared text are bytes of UTF-8."""
    lines = str(text).encode().split(b"\n")
    start = min(sum(len(line) + 1 for line in lines[: hunk.start]), len(text))
    if gone := len("".join(hunk.before).encode()):
        del text[start : start + gone]
    if hunk.after:
        text.insert(start, "".join(hunk.after))
