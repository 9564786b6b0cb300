"""Archives that are bombs: found by what they claim and by a bounded look, never by unpacking them."""

import bz2
import io
import itertools
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from server.files.archives import zip_directory
from server.files.archives.zip_directory import NotAZip
from server.previews.limits import PACKED_PIECE_BYTES, UNPACKED_PIECE_BYTES, XZ_BYTES

TAR_BLOCK = 512

GZIP, BZIP2, XZ, ZIP, TAR = "gzip", "bzip2", "xz", "zip", "tar"
SIGNATURES = ((b"PK\x03\x04", ZIP), (b"PK\x05\x06", ZIP), (b"\x1f\x8b", GZIP), (b"BZh", BZIP2), (b"\xfd7zXZ\x00", XZ))
_SIGNATURE_OF = {kind: signature for signature, kind in SIGNATURES}


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    entries: int = 100_000
    """Of all levels together. So many streams one behind the other, too."""
    size: int = 4 * 1024**3
    """Bytes unpacked, of all levels together."""
    ratio: int = 250
    """Unpacked to packed bytes, where it is more than `free_size`: text reaches 20, logs 100, a bomb 1000 and more."""
    free_size: int = 64 * 1024**2
    """So much may be packed as tightly as it can be: blank disks and bitmaps are."""
    depth: int = 5
    """Archives within archives, the outermost counted: a backup of documents with embedded sheets has four."""
    nested_size: int = 16 * 1024**2
    """Bytes of an inner archive that are looked at."""
    looked_at: int = 64 * 1024**2
    """Bytes of inner archives and streams that are unpacked in memory, of all levels together."""


@dataclass(slots=True)
class Inspection:
    """What was seen. `bomb` says why it is one; None where it is not."""

    kind: str | None = None
    """Of the outermost archive; None for a file that is no archive."""
    entries: int = 0
    size: int = 0
    """Unpacked, as claimed or measured."""
    depth: int = 0
    bomb: str | None = None
    complete: bool = True
    """Whether every inner archive was looked at: there may be more of them than the limits allow for."""
    left: int = field(default=0, repr=False)


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class _Bomb(Exception):
    pass


def inspect(path: Path, limits: ArchiveLimits | None = None) -> Inspection:
    """Look at a file, and at archives within it; a damaged archive is no bomb.

    Takes a bounded time (two seconds for 100,000 entries) and memory (a few times `nested_size`), in the caller's
    thread. Raises `OSError` where the file cannot be read.
    """
    with path.open("rb") as file:
        return inspect_file(file, limits or ArchiveLimits())


def inspect_file(file: BinaryIO, limits: ArchiveLimits) -> Inspection:
    seen = Inspection(kind=archive_kind(file), left=limits.looked_at)
    try:
        _look(file, seen, limits, 1)
    except _Bomb as bomb:
        seen.bomb = str(bomb)
    except (NotAZip, EOFError, OSError, lzma.LZMAError, zlib.error):
        return seen
    return seen


def archive_kind(file: BinaryIO) -> str | None:
    file.seek(0)
    head = file.read(TAR_BLOCK)
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[257:262] == b"ustar":
        return TAR
    return ZIP if zip_directory.is_zip(file) else None


def _look(file: BinaryIO, seen: Inspection, limits: ArchiveLimits, depth: int) -> None:
    kind = archive_kind(file)
    if kind is None:
        return
    if depth > limits.depth:
        raise _Bomb(f"archives within archives, more than {limits.depth} deep")
    seen.depth = max(seen.depth, depth)
    if kind == ZIP:
        _look_into_zip(file, seen, limits, depth)
    elif kind == TAR:
        _look_into_tar(file, seen, limits, depth)
    else:
        _look_into_stream(file, kind, seen, limits, depth)


def _look_into_zip(file: BinaryIO, seen: Inspection, limits: ArchiveLimits, depth: int) -> None:
    packed = size = 0
    places: list[tuple[int, int]] = []
    for entry in zip_directory.entries(file):
        _count(seen, limits, entry.size)
        packed, size = packed + entry.packed, size + entry.size
        places.append((entry.offset, entry.packed))
        _refuse_ratio(size, packed, limits)
    _refuse_overlaps(places)
    _look_into_entries(file, seen, limits, depth)


def _look_into_entries(file: BinaryIO, seen: Inspection, limits: ArchiveLimits, depth: int) -> None:
    for entry in zip_directory.entries(file):
        if not entry.is_readable:
            continue
        if archive_kind(io.BytesIO(zip_directory.unpack(file, entry, TAR_BLOCK))) is not None and _may_spend(seen):
            inner = zip_directory.unpack(file, entry, limits.nested_size)
            _spend(seen, len(inner))
            _look_within(io.BytesIO(inner), seen, limits, depth + 1)


def _look_within(inner: BinaryIO, seen: Inspection, limits: ArchiveLimits, depth: int) -> None:
    """An inner archive that is damaged, or longer than is looked at, does not end the look at the others."""
    try:
        _look(inner, seen, limits, depth)
    except (NotAZip, EOFError, OSError, lzma.LZMAError, zlib.error):
        return


def _look_into_tar(file: BinaryIO, seen: Inspection, limits: ArchiveLimits, depth: int) -> None:
    """Header by header: `tarfile` would read a name as long as the file into memory."""
    end = file.seek(0, 2)
    place = 0
    while place + TAR_BLOCK <= end:
        file.seek(place)
        header = file.read(TAR_BLOCK)
        if header[257:262] != b"ustar":
            return
        size = _tar_size(header)
        _count(seen, limits, size)
        _look_into_tar_entry(file, min(size, end - place - TAR_BLOCK), seen, limits, depth)
        place += TAR_BLOCK + -(-size // TAR_BLOCK) * TAR_BLOCK


def _look_into_tar_entry(file: BinaryIO, size: int, seen: Inspection, limits: ArchiveLimits, depth: int) -> None:
    place = file.tell()
    start = file.read(min(size, TAR_BLOCK))
    if archive_kind(io.BytesIO(start)) is None or not _may_spend(seen):
        return
    file.seek(place)
    data = file.read(min(size, limits.nested_size))
    _spend(seen, len(data))
    _look_within(io.BytesIO(data), seen, limits, depth + 1)


def _tar_size(header: bytes) -> int:
    """Octal digits, or a number of base 256 where the first bit is set (GNU)."""
    digits = header[124:136]
    if digits[0] & 0x80:
        return int.from_bytes(digits, "big") & ((1 << 95) - 1)
    text = digits.strip(b"\x00 ")
    if not text.isdigit():
        return 0
    return int(text, 8) if not text.translate(None, b"01234567") else 0


def _look_into_stream(file: BinaryIO, kind: str, seen: Inspection, limits: ArchiveLimits, depth: int) -> None:
    """Unpacked piece by piece; what is not looked at is taken to be packed as tightly as what was."""
    packed = file.seek(0, 2)
    file.seek(0)
    streams = _Streams(kind)
    kept = bytearray()
    size = 0
    while size < limits.looked_at // 4 and not streams.eof and (data := file.read(PACKED_PIECE_BYTES)):
        for piece in streams.pieces(data):
            size += len(piece)
            kept += piece[: max(0, limits.nested_size - len(kept))]
        if streams.begun > limits.entries:  # empty ones unpack to nothing, however many there are
            raise _Bomb(f"more than {limits.entries} streams")
    _spend(seen, size)
    seen.complete = seen.complete and len(kept) == size
    estimated = size * packed // max(1, file.tell())
    _count(seen, limits, estimated)
    _refuse_ratio(estimated, packed, limits)
    _look_within(io.BytesIO(kept), seen, limits, depth + 1)


class _Streams:
    """One behind the other, as programs unpack them (RFC 1952, 2.2), with zeros in between. What is no stream, or a
    damaged one behind a good one, is the end."""

    def __init__(self, kind: str) -> None:
        self._make = _MAKERS[kind]
        self._signature = _SIGNATURE_OF[kind]
        self._inner: _Decompressor | None = None
        self.begun = 0
        self._between = b""
        """Too short to say whether another stream begins with it."""
        self.eof = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes of the file unpack to."""
        data, self._between = self._between + data, b""
        while not self.eof:
            if self._inner is None and not self._begins(data := data.lstrip(b"\0")):
                return
            piece = self._unpacked(data)
            data = b""
            if piece:
                yield piece
            if self._inner is not None and self._inner.eof:
                data, self._inner = self._inner.unused_data, None
            elif not piece:
                return

    def _begins(self, data: bytes) -> bool:
        if len(data) < len(self._signature):
            self._between = data
            return False
        self.eof = not data.startswith(self._signature)
        if not self.eof:
            self._inner = self._make()
            self.begun += 1
        return not self.eof

    def _unpacked(self, data: bytes) -> bytes:
        assert self._inner is not None
        try:
            return self._inner.decompress(data, UNPACKED_PIECE_BYTES)
        except (EOFError, OSError, lzma.LZMAError, zlib.error):
            if self.begun == 1:
                raise
            self.eof = True
            return b""


class _Gzip:
    """zlib's object hands unused input back; the others keep it."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


_MAKERS: Mapping[str, Callable[[], _Decompressor]] = {
    GZIP: _Gzip,
    BZIP2: bz2.BZ2Decompressor,
    XZ: lambda: lzma.LZMADecompressor(memlimit=XZ_BYTES),
}


def _count(seen: Inspection, limits: ArchiveLimits, size: int) -> None:
    seen.entries += 1
    seen.size += size
    if seen.entries > limits.entries:
        raise _Bomb(f"more than {limits.entries} entries")
    if seen.size > limits.size:
        raise _Bomb(f"more than {limits.size} bytes unpacked")


def _refuse_ratio(size: int, packed: int, limits: ArchiveLimits) -> None:
    if size > limits.free_size and size > limits.ratio * packed:
        raise _Bomb(f"{size} bytes packed into {packed}")


def _refuse_overlaps(places: list[tuple[int, int]]) -> None:
    """Entries that share their bytes: how a few KiB become terabytes without any layer."""
    places.sort()
    for (offset, packed), (following, _) in itertools.pairwise(places):
        if offset + zip_directory.LOCAL.size + packed > following:
            raise _Bomb("entries share their bytes")


def _may_spend(seen: Inspection) -> bool:
    seen.complete = seen.complete and seen.left > 0
    return seen.left > 0


def _spend(seen: Inspection, size: int) -> None:
    seen.left -= size
