"""A zip archive that is written while its files are read. Pure: pieces in, pieces out."""

from collections import deque
from collections.abc import Iterator
from typing import Any


class ZipWriter:
    """Files are stored as they are: most are compressed already. None of them, nor all together, may need the 64-bit
    form, which some programs cannot read: its caller bounds both."""

    def __init__(self) -> None:
        from zipstream.ng import ZipStream  # costs 10 ms, and few ask for an archive

        self._zip: Any = ZipStream()
        self._pieces: deque[bytes] = deque()
        self._entry: Iterator[bytes] = iter(())

    def begin(self, name: str, size: int) -> bytes:
        self._zip.add(self._taken(), name, size=size)
        self._entry = self._zip.file()
        return next(self._entry)

    def _taken(self) -> Iterator[bytes]:
        """What zipstream pulls is what was just pushed; nothing left is the end of the file."""
        while self._pieces:
            yield self._pieces.popleft()

    def feed(self, piece: bytes) -> bytes:
        """Of the file that was begun; not empty."""
        self._pieces.append(piece)
        return next(self._entry)

    def end(self) -> bytes:
        """Of the file that was begun."""
        return b"".join(self._entry)

    def finish(self) -> bytes:
        """The directory of the archive."""
        return b"".join(self._zip.footer())
