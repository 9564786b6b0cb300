"""The loop of the process that ships: look at the write-ahead log, note how it is, let the log start over in time.

A lineage ends where the log cannot be followed, or where the shelf is away for so long that segments fill the spool:
then the log is let go, and the next lineage begins once the shelf takes something. It needs a backup of its own.
"""

import contextlib
import logging
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from actors import limits
from storage.backups.continuous import state as states
from storage.backups.continuous.capture import Capture
from storage.backups.continuous.files import NewFiles
from storage.backups.continuous.frames import ContinuityLost
from storage.backups.continuous.segments import Segment
from storage.backups.continuous.spool import Shipped, Spool
from storage.backups.continuous.state import State
from storage.backups.keys import SealingKey
from storage.backups.shelf import Shelf
from storage.database import ANY_FAILURE, DatabaseOptions, DatabaseProblem

logger = logging.getLogger("storage.shipping")
_FAILURES = (ContinuityLost, DatabaseProblem, *ANY_FAILURE)


@dataclass(slots=True)
class Shipper:
    options: DatabaseOptions
    shelf: Shelf
    """Of segments."""
    keys: tuple[SealingKey, ...]
    every_seconds: float
    files: NewFiles | None = None
    """None: files need no copies."""
    spool_bytes: int = limits.SHIPPING_SPOOL_BYTES
    """Of segments that wait for the shelf. Beyond it they are dropped."""
    _capture: Capture | None = None
    _looks: int = 0
    _quiet_seconds: float = 0.0
    _retry_at: float = 0.0
    _problem: Shipped = field(default_factory=Shipped)
    """Of capturing; shipping has its own."""
    _dropped_at: int | None = None
    """Of the oldest change in segments that were dropped, until the next lineage begins."""
    _spool: Spool = field(init=False)

    def __post_init__(self) -> None:
        self._spool = Spool(self._data_dir / states.SPOOL, self.shelf)

    @property
    def _data_dir(self) -> Path:
        return self.options.path.parent

    def run(self, ended: threading.Event) -> None:
        """Until the event is set; then what was committed by then is shipped, as far as the shelf takes it."""
        lock = states.hold_lock(self._data_dir)
        try:
            self._spool.open()
            if self.files is not None:
                self.files.start()
            while not ended.is_set():
                self.look()
                ended.wait(self.every_seconds)
            self.look()
        finally:
            self._end()
            os.close(lock)

    def _end(self) -> None:
        self._spool.close(limits.SHIPPING_END_SECONDS)
        if self.files is not None:
            self.files.stop()
        self._note()
        self._close()

    def look(self) -> None:
        try:
            if self._capture is None:
                self._begin()
            else:
                self._follow(self._capture)
        except _FAILURES as error:
            self._give_up(str(error))
        self._looks += 1
        self._note()

    def _begin(self) -> None:
        if self._spool.shipped.failing_since is None and time.monotonic() >= self._retry_at:
            self._spool.must_have_room()  # else each attempt would end at its first segment
            self._capture = Capture(self.options, self._spool.folder, self.keys)
            self._problem.succeeded()
            self._dropped_at = None
            logger.info("lineage %s begins", self._capture.lineage)

    def _follow(self, capture: Capture) -> None:
        if capture.step() is not None:
            self._quiet_seconds = 0.0
            self._spool.wake()
            self._must_fit(capture)
        else:
            self._quiet_seconds += self.every_seconds
        is_quiet = self._quiet_seconds >= limits.SHIPPING_QUIET_SECONDS
        if capture.frames and (is_quiet or capture.frames >= limits.SHIPPING_TURN_FRAMES):
            capture.turn(empty=is_quiet)
            self._spool.wake()

    def _must_fit(self, capture: Capture) -> None:
        size = sum(segment.size for segment in self._spool.waiting())
        if size > self.spool_bytes:
            self._dropped_at = self._spool.forget(capture.lineage)
            raise ContinuityLost(
                f"{size / 2**20:,.1f} MiB waited to be shipped, more than BACKUP_SPOOL allows, and were dropped; "
                f"{self._spool.shipped.reason}"
            )

    def _give_up(self, reason: str) -> None:
        logger.warning("changes are not captured, another lineage will begin with a backup: %s", reason)
        self._problem.failed(reason)
        self._retry_at = time.monotonic() + limits.SHIPPING_RETRY_SECONDS
        self._close()

    def _close(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            with contextlib.suppress(*ANY_FAILURE):
                capture.close()

    def _behind_since(self, waiting: list[Segment]) -> int | None:
        since = (self._dropped_at, self._problem.failing_since, waiting[0].at if waiting else None)
        return min((at for at in since if at is not None), default=None)

    def _note(self) -> None:
        capture, waiting, shipped = self._capture, self._spool.waiting(), self._spool.shipped
        problem = self._problem if self._problem.failing_since is not None else shipped
        found = State(
            lineage=capture.lineage if capture else "", number=capture.number if capture else 0,
            look=self._looks, looked_at=time.time_ns() // 1_000_000, shipped_at=shipped.newest_at,
            behind_since=self._behind_since(waiting),
            waiting=sum(segment.size for segment in waiting), segments=shipped.segments, bytes=shipped.bytes,
            failing_since=problem.failing_since, reason=problem.reason,
        )  # fmt: skip
        with contextlib.suppress(OSError):  # a full disk: then the age of what was noted last says it
            states.write(self._data_dir, found)
