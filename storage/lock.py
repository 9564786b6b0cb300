"""The lock of a data folder: one server, or one command that puts another database in place, at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from storage import private_files
from storage.database import DatabaseProblem, plain_words

FILE_NAME = "server.lock"


@contextlib.contextmanager
def data_folder_lock(folder: Path, keys: str = "") -> Iterator[None]:
    """Hold the folder while inside; the kernel gives it back when the process ends, however it ends. `keys`: what the
    tokens of the holder are signed by, in one word, for commands beside it.

    Raises `DatabaseProblem` where another process holds it. The file stays: to delete it would be a race.
    """
    path = folder / FILE_NAME
    with plain_words(path):
        private_files.make_folder(folder)
        private_files.take_back_folder(folder)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, private_files.FILE_MODE)
    try:
        _take(descriptor, folder, keys)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder(folder: Path) -> int | None:
    """Process id of the current holder of the folder; 0 where it is unknown, None where the folder is free."""
    try:
        descriptor = os.open(folder / FILE_NAME, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written(descriptor)
    finally:
        os.close(descriptor)
    return None


def _take(descriptor: int, folder: Path, keys: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = _written(descriptor)
        named = f" (pid {who})" if who else ""
        raise DatabaseProblem(f"{folder}: another server{named} uses this folder; stop it first.") from None
    except OSError as error:
        raise DatabaseProblem(f"{folder / FILE_NAME}: {error.strerror}; it cannot be locked here.") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n{keys}\n".encode(), 0)


def holders_keys(folder: Path) -> str:
    """The keys that the holder of the folder has published; empty where the folder is free."""
    if holder(folder) is None:
        return ""
    lines = (folder / FILE_NAME).read_text(errors="replace").splitlines()
    return lines[1] if len(lines) > 1 else ""


def _written(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).partition(b"\n")[0].strip()
    return int(text) if text.isdigit() else 0
