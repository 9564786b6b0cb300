"""Segments on their way: files of a folder, which one OS thread makes and another ships, in order."""

import contextlib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from actors import limits
from actors.blobs import BlobError
from storage import private_files
from storage.backups.continuous.segments import Segment, segment_of
from storage.backups.shelf import Shelf

PROBE = "reachable"
"""On the shelf: written while it is away, to see when it is back."""
ROOM = "room"
"""In the folder for a moment: as large as a segment may be."""


@dataclass(slots=True)
class Shipped:
    """What came of it. Times are milliseconds since 1970."""

    segments: int = 0
    bytes: int = 0
    newest_at: int | None = None
    failing_since: int | None = None
    reason: str = ""

    def failed(self, reason: str) -> None:
        self.failing_since = self.failing_since or time.time_ns() // 1_000_000
        self.reason = reason

    def succeeded(self) -> None:
        self.failing_since, self.reason = None, ""


@dataclass(slots=True)
class Spool:
    folder: Path
    shelf: Shelf
    shipped: Shipped = field(default_factory=Shipped)
    _due: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _os_thread: threading.Thread | None = None

    def open(self) -> None:
        """What a process before could not ship is shipped first. Raises `OSError`."""
        private_files.make_folder(self.folder)
        for partial in self.folder.glob("*.partial"):
            partial.unlink()
        self._os_thread = threading.Thread(target=self._run, name="shipping", daemon=True)
        self._os_thread.start()

    def waiting(self) -> list[Segment]:
        """The oldest first."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                with contextlib.suppress(FileNotFoundError):  # shipped just now
                    if (segment := segment_of(path.name, path.stat().st_size)) is not None:
                        found.append(segment)
        return sorted(found, key=lambda segment: (segment.at, segment.number))

    def wake(self) -> None:
        self._due.set()

    def forget(self, lineage: str) -> int | None:
        """What waits of it is of no use any more. Answers the time of the oldest: milliseconds since 1970."""
        dropped = [segment for segment in self.waiting() if segment.lineage == lineage]
        for segment in dropped:
            (self.folder / segment.name).unlink(missing_ok=True)
        return dropped[0].at if dropped else None

    def must_have_room(self) -> None:
        """For a usual segment. Raises `OSError` where the disk is full."""
        room = self.folder / ROOM
        try:
            with open(room, "wb", opener=private_files.private) as file:
                file.write(bytes(limits.SEGMENT_MEMORY_BYTES))
        finally:
            room.unlink(missing_ok=True)

    def _run(self) -> None:
        pause = 0.0
        while not self._ended.wait(pause):
            if not pause:
                self._due.wait(limits.SHIPPING_RETRY_SECONDS)
            self._due.clear()
            try:
                self._ship_all()
            except (BlobError, OSError) as error:
                self.shipped.failed(str(error))
                pause = min(max(2 * pause, 0.5), limits.SHIPPING_RETRY_SECONDS)
            else:
                pause = 0.0

    def _ship_all(self) -> None:
        waiting = self.waiting()
        if not waiting and self.shipped.failing_since is not None:
            self._probe()
        for segment in waiting:
            self._ship(segment)

    def _ship(self, segment: Segment) -> None:
        path = self.folder / segment.name
        with contextlib.suppress(FileNotFoundError):  # its lineage was given up
            self.shelf.put(path, segment.name)
            path.unlink(missing_ok=True)
            shipped = self.shipped
            shipped.segments, shipped.bytes = shipped.segments + 1, shipped.bytes + segment.size
            shipped.newest_at = max(segment.at, shipped.newest_at or 0)
            shipped.succeeded()

    def _probe(self) -> None:
        probe = self.folder / PROBE
        with open(probe, "w", opener=private_files.private) as file:
            file.write("A continuous backup looks whether it can write here.\n")
        self.shelf.put(probe, PROBE)
        self.shelf.delete(PROBE)
        self.shipped.succeeded()

    def close(self, seconds: float) -> None:
        """Ship what waits, for so long; what is left is shipped by the process after this one."""
        until = time.monotonic() + seconds
        while self.waiting() and self.shipped.failing_since is None and time.monotonic() < until:
            self.wake()
            time.sleep(limits.SHIPPING_POLL_SECONDS)
        self._ended.set()
        self.wake()
        if self._os_thread is not None:
            self._os_thread.join(seconds)
