"""How shipping is doing, in a file of the data folder: for the server, its metrics, and for backups beside it."""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from actors import limits
from storage import private_files

FILE_NAME = "backup-shipping.json"
LOCK = "backup-shipping.lock"
SPOOL = "backup-spool"
"""Folder in DATA_DIR: of segments on their way."""


@dataclass(frozen=True, slots=True)
class State:
    """Times are milliseconds since 1970; None: never."""

    lineage: str = ""
    """Empty while nothing is captured."""
    number: int = 0
    """Of the newest segment that was captured."""
    look: int = 0
    """Counts the looks at the write-ahead log, those that found nothing, too."""
    looked_at: int = 0
    shipped_at: int | None = None
    """What the newest segment on the shelf holds is as old."""
    behind_since: int | None = None
    """Of the oldest change that is not on the shelf."""
    waiting: int = 0
    """Bytes of segments that are to be shipped."""
    segments: int = 0
    """Shipped by this process."""
    bytes: int = 0
    """Of these."""
    failing_since: int | None = None
    reason: str = ""

    @property
    def is_live(self) -> bool:
        return abs(time.time() - self.looked_at / 1000) < limits.SHIPPING_SILENT_SECONDS


def read(folder: Path) -> State:
    """An empty one where there is none, or one that cannot be read."""
    try:
        return State(**json.loads((folder / FILE_NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return State()


def write(folder: Path, state: State) -> None:
    """Whole or not at all; it need not outlive a power cut. Raises `OSError`."""
    partial = folder / f"{FILE_NAME}.partial"
    with open(partial, "w", opener=private_files.private) as file:
        json.dump(asdict(state), file)
    partial.replace(folder / FILE_NAME)


def hold_lock(folder: Path) -> int:
    """Waits for the process before, which ships the last of its server; the kernel gives it back with the process."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, private_files.FILE_MODE)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor
