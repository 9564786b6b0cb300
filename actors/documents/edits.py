"""An edit, looked through before the CRDT takes it: an update of Yjs in its first encoding. Pure.

The CRDT is native code whose recursion follows what it decodes: a value within a value within a value, a hundred
thousand times, overflows its stack and ends the process. So the depth of values is bounded, and so is the number of
shared types, one of which may be within another.
"""

from typing import Final

from actors import limits
from actors.documents.bytes_reader import BytesReader
from actors.errors import Malformed

_GC, _SKIP = 0, 10
_DELETED, _JSON, _BINARY, _STRING, _EMBED, _FORMAT, _TYPE, _ANY = range(1, 9)
_NAMED_TYPES: Final = frozenset({3, 5})
"""XML elements and hooks have a name."""
_TYPES: Final = 7
"""Of shared types: array, map, text, and four of XML; links between them come after, and are not taken."""
_LEFT, _RIGHT, _SUB, _KIND = 0x80, 0x40, 0x20, 0x1F


def types_in(edit: bytes, *, bounded: bool = True) -> int:
    """How many shared types it makes. Raises `Malformed` for what is not taken; `bounded`: also for too many parts."""
    reader = _Edit(edit, limits.EDIT_STRUCTS if bounded else len(edit))
    for _ in range(reader.number()):
        structs = reader.number()
        reader.skip_numbers(2)  # client, clock
        for _ in range(structs):
            reader.struct()
    return reader.types


def changes_nothing_but_deletions(edit: bytes) -> bool:
    return edit[:1] == b"\x00"


class _Edit(BytesReader):
    def __init__(self, data: bytes, structs: int) -> None:
        """`structs`: how many there may be."""
        super().__init__(data)
        self.types = 0
        self._left = structs

    def skip_numbers(self, count: int) -> None:
        for _ in range(count):
            self.number()

    def struct(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Malformed(f"An edit may have at most {limits.EDIT_STRUCTS} parts.")
        info = self.byte()
        kind = info & _KIND
        if kind in (_GC, _SKIP):
            self.number()
            return
        self._place(info)
        self._content(kind)

    def _place(self, info: int) -> None:
        self.skip_numbers(2 * bool(info & _LEFT) + 2 * bool(info & _RIGHT))
        if info & (_LEFT | _RIGHT):
            return
        if self.number() == 1:
            self.string()
        else:
            self.skip_numbers(2)
        if info & _SUB:
            self.string()

    def _content(self, kind: int) -> None:
        if kind == _DELETED:
            self.number()
        elif kind in (_BINARY, _STRING, _EMBED):
            self.string()
        elif kind == _FORMAT:
            self.string()
            self.string()
        elif kind == _TYPE:
            self._type()
        elif kind in (_JSON, _ANY):
            for _ in range(self._count()):
                self.string() if kind == _JSON else self._value(0)
        else:
            raise Malformed("Documents within documents, links and moves are not taken here.")

    def _count(self) -> int:
        """Of what takes a byte at least."""
        count = self.number()
        if count > len(self.data) - self.at:
            raise Malformed("An edit is shorter than it says.")
        return count

    def _type(self) -> None:
        kind = self.number()
        if kind >= _TYPES:
            raise Malformed("Links between parts of a document are not taken here.")
        if kind in _NAMED_TYPES:
            self.string()
        self.types += 1

    def _value(self, depth: int) -> None:
        """One of lib0's values of any type."""
        if depth > limits.JSON_DEPTH:
            raise Malformed(f"A value may be nested at most {limits.JSON_DEPTH} levels deep.")
        tag = self.byte()
        if tag in (119, 116):  # a text, bytes
            self.string()
        elif tag == 125:  # a whole number
            while self.byte() >= 0x80:
                pass
        elif tag in _FIXED:
            self.skip(_FIXED[tag])
        elif tag == 118:  # an object
            for _ in range(self._count()):
                self.string()
                self._value(depth + 1)
        elif tag == 117:  # a list
            for _ in range(self._count()):
                self._value(depth + 1)
        else:
            raise Malformed(f"A value of an unknown kind, {tag}.")


_FIXED: Final = {127: 0, 126: 0, 121: 0, 120: 0, 124: 4, 123: 8, 122: 8}
"""Undefined, null, false, true; numbers of 4 and 8 bytes, and large whole ones."""
