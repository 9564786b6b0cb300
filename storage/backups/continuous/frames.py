"""Pages out of the write-ahead log: the newest of each, between two commits."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from actors import limits
from storage.backups.continuous.wal_index import Head

LOG_HEADER = 32
FRAME_HEADER = 24
_FRAME = struct.Struct(">II8s8x")


class ContinuityLost(Exception):
    """What was written since the last look cannot be had: another backup has to begin."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The newest content of each page that was written between two commits."""

    size: int
    """Bytes of a page."""
    places: dict[int, int]
    """Number of the page → where its content stands in the log; in order of number."""

    def contents(self, log: int) -> Iterator[bytes]:
        for place in self.places.values():
            yield os.pread(log, self.size, place)


def open_log(database: Path) -> int:
    """A descriptor of the `-wal` file, on which SQLite holds no lock."""
    return os.open(database.with_name(f"{database.name}-wal"), os.O_RDONLY)


def newest_pages(log: int, head: Head, first: int) -> Pages:
    """Of the frames from number `first`, counted from 0, to the end. Raises `ContinuityLost` where they are not those
    of the head: then the log has started over meanwhile."""
    places: dict[int, int] = {}
    for number, page, salts, place in _frames(log, head, first):
        if salts != head.salts or page == 0:
            raise ContinuityLost(f"frame {number:,} of the write-ahead log is not the one that was expected")
        if page <= head.pages:  # what a shorter database no longer has
            places[page] = place
    return Pages(head.page_size, dict(sorted(places.items())))


def _frames(log: int, head: Head, first: int) -> Iterator[tuple[int, int, bytes, int]]:
    """(number, page, salts, where its content begins)"""
    length = FRAME_HEADER + head.page_size
    at_once = max(1, limits.WAL_READ_BYTES // length)
    for start in range(first, head.frames, at_once):
        count = min(at_once, head.frames - start)
        where = LOG_HEADER + start * length
        data = os.pread(log, count * length, where)
        if len(data) < count * length:
            raise ContinuityLost("the write-ahead log is shorter than its index says")
        for index in range(count):
            page, _, salts = _FRAME.unpack_from(data, index * length)
            yield start + index, page, salts, where + index * length + FRAME_HEADER
