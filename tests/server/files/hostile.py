"""Hostile archives, made at run time and never kept."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

PNG = b"\x89PNG\r\n\x1a\n"


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def one_pixel_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")


def nested_zip(levels: int, width: int = 1) -> bytes:
    """Archives in archives, as 42.zip has them: each level holds `width` of the next, a MB of zeros at the bottom."""
    data = zipped({"zeros": bytes(1_000_000)})
    for level in range(levels - 1):
        data = zipped({f"{level}-{number}.zip": data for number in range(width)})
    return data


def overlapping_zip(entries: int = 50, size: int = 100_000) -> bytes:
    """Many entries of the directory that share one entry's bytes."""
    made = zipped({"a": bytes(size)})
    end = made.rfind(b"PK\x05\x06")
    directory_at = made.find(b"PK\x01\x02")
    directory = made[directory_at:end] * entries
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, entries, entries, len(directory), directory_at, 0)
    return made[:directory_at] + directory + record


def claiming_zip(size: int) -> bytes:
    """One small entry, whose header claims that it has `size` bytes unpacked."""
    made = bytearray(zipped({"a": bytes(100)}))
    struct.pack_into("<L", made, made.find(b"PK\x01\x02") + 24, size)
    return bytes(made)


def many_entries_zip(count: int) -> bytes:
    """Entries without bytes of their own, as small as they can be."""
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    entry = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, number * len(local))
        + b"a"
        for number in range(count)
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, len(entry), count * len(local), 0)
    return local * count + entry + end


def gzip_bomb(size: int) -> bytes:
    return gzip.compress(bytes(size), 9)
