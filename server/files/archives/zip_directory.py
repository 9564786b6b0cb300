"""The central directory of a zip: read entry by entry, so that neither its size nor its claims cost memory.

`zipfile` makes an object of every entry before it answers; a file of 100 MB can list two million.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

END = struct.Struct("<4s4H2LH")
END_SIGNATURE = b"PK\x05\x06"
END_64 = struct.Struct("<4sQ2H2L4Q")
END_64_SIGNATURE = b"PK\x06\x06"
LOCATOR_64 = struct.Struct("<4sLQL")
LOCATOR_64_SIGNATURE = b"PK\x06\x07"
ENTRY = struct.Struct("<4s6H3L5H2L")
ENTRY_SIGNATURE = b"PK\x01\x02"
LOCAL = struct.Struct("<4s5H3L2H")
LOCAL_SIGNATURE = b"PK\x03\x04"
TAIL = END.size + 65_535
"""The last record, with the longest comment after it."""
EXTRA_64 = 1
"""The extra field with sizes that need 64 bits."""
UTF8, ENCRYPTED = 0x800, 0x1
FULL_32 = 0xFFFFFFFF
STORED, DEFLATED = 0, 8


class NotAZip(ValueError):
    """There is no end record, or what it names is no directory."""


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    method: int
    encrypted: bool
    packed: int
    """Bytes in the archive."""
    size: int
    """Bytes unpacked, as the directory claims."""
    offset: int
    """Of its local header, from the beginning of the file."""

    @property
    def is_readable(self) -> bool:
        return not self.encrypted and self.method in (STORED, DEFLATED)


def entries(file: BinaryIO) -> Iterator[Entry]:
    """The entries in the order of the directory. Raises `NotAZip` at the first place that makes no sense."""
    start, size, before = _place(file)
    file.seek(start)
    while size > 0:
        entry, taken = _read_entry(file, before)
        size -= taken
        place = file.tell()
        yield entry
        file.seek(place)


def is_zip(file: BinaryIO) -> bool:
    """Whether readers find at least one entry, wherever the archive begins."""
    try:
        return next(entries(file), None) is not None
    except NotAZip:
        return False


def data_offset(file: BinaryIO, entry: Entry) -> int:
    """Where the bytes of an entry begin. Raises `NotAZip` where its local header is not there."""
    file.seek(entry.offset)
    record = file.read(LOCAL.size)
    if len(record) < LOCAL.size or not record.startswith(LOCAL_SIGNATURE):
        raise NotAZip(f"no entry at {entry.offset}")
    *_, name, extra = LOCAL.unpack(record)
    return int(entry.offset + LOCAL.size + name + extra)


def unpack(file: BinaryIO, entry: Entry, size: int) -> bytes:
    """The first bytes of an entry that is readable, whatever its header claims. Raises `NotAZip` and `zlib.error`."""
    file.seek(data_offset(file, entry))
    packed = file.read(min(entry.packed, 2 * size))
    return packed[:size] if entry.method == STORED else zlib.decompressobj(-15).decompress(packed, size)


def _place(file: BinaryIO) -> tuple[int, int, int]:
    """Where the directory begins, its size in bytes, and how many bytes stand before the archive."""
    file_size = file.seek(0, 2)
    tail_at = max(0, file_size - TAIL)
    file.seek(tail_at)
    tail = file.read(TAIL)
    found = tail.rfind(END_SIGNATURE)
    if found < 0 or len(tail) - found < END.size:
        raise NotAZip("no end record")
    _, _, _, _, _, size, offset, _ = END.unpack_from(tail, found)
    end = tail_at + found
    if FULL_32 in (size, offset) or _has_locator(file, end):
        size, offset, end = _place_64(file, end)
    before = end - size - offset
    if before < 0:
        raise NotAZip("the directory is not where the end record says")
    return offset + before, size, before


def _has_locator(file: BinaryIO, end: int) -> bool:
    file.seek(max(0, end - LOCATOR_64.size))
    return file.read(4) == LOCATOR_64_SIGNATURE


def _place_64(file: BinaryIO, end: int) -> tuple[int, int, int]:
    file.seek(max(0, end - LOCATOR_64.size - END_64.size))
    record = file.read(END_64.size)
    if len(record) < END_64.size or not record.startswith(END_64_SIGNATURE):
        raise NotAZip("no end record of 64 bits")
    *_, size, offset = END_64.unpack(record)
    return size, offset, end - LOCATOR_64.size - END_64.size


def _read_entry(file: BinaryIO, before: int) -> tuple[Entry, int]:
    record = file.read(ENTRY.size)
    if len(record) < ENTRY.size or not record.startswith(ENTRY_SIGNATURE):
        raise NotAZip("the directory ends before its last entry")
    _, _, _, flags, method, _, _, _, packed, size, name_size, extra_size, comment_size, _, _, _, offset = ENTRY.unpack(
        record
    )
    name = file.read(name_size).decode("utf-8" if flags & UTF8 else "cp437", errors="replace")
    extra = file.read(extra_size)
    file.seek(comment_size, 1)
    size, packed, offset = _wide(extra, size, packed, offset)
    entry = Entry(name, method, bool(flags & ENCRYPTED), packed, size, offset + before)
    return entry, ENTRY.size + name_size + extra_size + comment_size


def _wide(extra: bytes, *values: int) -> tuple[int, int, int]:
    """Size, packed size and offset, taken from the extra field of 64 bits where they do not fit into 32."""
    wide = _extra_field(extra, EXTRA_64) if FULL_32 in values else b""
    found: list[int] = []
    for value in values:
        is_wide = value == FULL_32 and len(wide) >= 8
        found.append(int.from_bytes(wide[:8], "little") if is_wide else value)
        wide = wide[8:] if is_wide else wide
    return found[0], found[1], found[2]


def _extra_field(extra: bytes, wanted: int) -> bytes:
    place = 0
    while place + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, place)
        if kind == wanted:
            return extra[place + 4 : place + 4 + size]
        place += 4 + size
    return b""
