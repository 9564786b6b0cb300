"""Where the write-ahead log of SQLite ends, from the header of its index (the `-shm` file).

The header stands there twice: who reads both the same has read it whole. See "WAL-Index Format" in SQLite's
documentation. Closing the file drops every lock that this process holds on it, those of SQLite's own connections, too
(POSIX advisory locks): it is closed after them, and a process that writes the database must not open one.
"""

import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from actors import limits
from storage.database import DatabaseProblem

VERSION = 3_007_000
HEADER = 48
_FIELDS = struct.Struct("=IIIBBHII8s8s8s")


@dataclass(frozen=True, slots=True)
class Head:
    salts: bytes
    """Of the present run of the log: 8 bytes, which change when it starts over."""
    frames: int
    """Committed, from the beginning of the file."""
    page_size: int
    pages: int
    """Of the database, after the last commit."""


class WalIndex:
    """Of a database to which this process has a connection: so the file is there, and stays the same."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-shm")
        self._file = os.open(self._path, os.O_RDONLY)

    def head(self) -> Head:
        """Raises `DatabaseProblem` where the header stays unreadable."""
        for _ in range(limits.WAL_INDEX_READS):
            data = os.pread(self._file, 2 * HEADER, 0)
            if len(data) == 2 * HEADER and data[:HEADER] == data[HEADER:]:
                return self._parsed(data[:HEADER])
            time.sleep(0.001)
        raise DatabaseProblem(f"{self._path}: the index of the write-ahead log cannot be read.")

    def _parsed(self, data: bytes) -> Head:
        version, _, _, is_ready, _, size, frames, pages, _, salts, _ = _FIELDS.unpack(data)
        if version != VERSION or not is_ready:
            raise DatabaseProblem(f"{self._path}: expected version {VERSION} of the index, and got {version}.")
        return Head(salts, frames, (size & 0xFE00) + ((size & 1) << 16), pages)

    def close(self) -> None:
        os.close(self._file)
