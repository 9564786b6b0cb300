"""Bytes of memory and open files that this process has."""

import _sqlite3
import ctypes
import os
import resource
from collections.abc import Callable
from pathlib import Path

_OPEN_FILES = (Path("/proc/self/fd"), Path("/dev/fd"))


def resident_bytes() -> int:
    try:
        return _pages()[1] * resource.getpagesize()
    except OSError:  # not Linux: the highest so far
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def parts_of_memory() -> dict[str, int]:
    """Resident memory, by what it holds. `files`: mapped pages of files, such as the database and libraries; one that
    several connections map is counted for each of them, and the kernel takes it back when it needs room. `sqlite`: what
    SQLite has allocated, mostly caches. `rest`: all else. Empty where the system does not say."""
    try:
        _, resident, shared = (pages * resource.getpagesize() for pages in _pages()[:3])
    except OSError:
        return {}
    sqlite = min(_sqlite_bytes(), resident - shared)
    return {"files": shared, "sqlite": sqlite, "rest": resident - shared - sqlite}


def _pages() -> list[int]:
    return [int(count) for count in Path("/proc/self/statm").read_text().split()]


def _sqlite_memory() -> Callable[[], int]:
    """What Python's module does not offer; of a library that hides it nothing is known."""
    try:
        used = ctypes.CDLL(getattr(_sqlite3, "__file__", None)).sqlite3_memory_used  # without a file: of Python itself
    except (OSError, AttributeError):
        return lambda: 0
    used.restype = ctypes.c_int64
    return lambda: int(used())


_sqlite_bytes = _sqlite_memory()


def open_files() -> int:
    """0 where the system does not say."""
    return next((len(os.listdir(folder)) for folder in _OPEN_FILES if folder.is_dir()), 0)
