"""Which characters fonts have: read from their `cmap` tables (OpenType 1.9, formats 4 and 12)."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from server.exports.worker import limits

Ranges = tuple[tuple[int, int], ...]
"""First and last code points, both of them included."""


def of_font(path: Path) -> Ranges:
    """Of all faces of a file. Empty for one that is damaged, or no font."""
    try:
        with path.open("rb") as file:
            return tuple(sorted({each for start in _faces(file) for each in _face(file, start)}))
    except (OSError, struct.error, ValueError):
        return ()


def has(ranges: Ranges, code: int) -> bool:
    return any(first <= code <= last for first, last in ranges)


def _read(file: BinaryIO, at: int, form: str) -> tuple[int, ...]:
    file.seek(at)
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _faces(file: BinaryIO) -> tuple[int, ...]:
    (tag,) = _read(file, 0, ">I")
    if tag != int.from_bytes(b"ttcf"):
        return (0,)
    (count,) = _read(file, 8, ">I")
    return _read(file, 12, f">{min(count, limits.FACES)}I")


def _face(file: BinaryIO, start: int) -> Iterator[tuple[int, int]]:
    (tables,) = _read(file, start + 4, ">H")
    for number in range(tables):
        tag, _, offset, length = _read(file, start + 12 + 16 * number, ">IIII")
        if tag == int.from_bytes(b"cmap") and length <= limits.CMAP_BYTES:
            file.seek(offset)
            yield from _cmap(file.read(length))


def _cmap(table: bytes) -> Iterator[tuple[int, int]]:
    (count,) = struct.unpack_from(">H", table, 2)
    for at in {struct.unpack_from(">I", table, 8 + 8 * number)[0] for number in range(count)}:
        (form,) = struct.unpack_from(">H", table, at)
        if form == 4:
            yield from _segments(table, at)
        elif form == 12:
            (groups,) = struct.unpack_from(">I", table, at + 12)
            for first, last, _ in struct.iter_unpack(">III", table[at + 16 : at + 16 + 12 * groups]):
                yield first, last


def _segments(table: bytes, at: int) -> Iterator[tuple[int, int]]:
    """A segment may map some of its characters to no glyph, which is rare: it counts as having all."""
    (doubled,) = struct.unpack_from(">H", table, at + 6)
    count = doubled // 2
    ends = struct.unpack_from(f">{count}H", table, at + 14)
    starts = struct.unpack_from(f">{count}H", table, at + 16 + doubled)
    for first, last in zip(starts, ends, strict=True):
        if first <= last and first != 0xFFFF:
            yield first, last
