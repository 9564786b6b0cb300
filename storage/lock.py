"""The lock of a data folder: one server, or one command that puts another database in place, at a time.

A server hands it to its successor as an open file: both hold the same lock then, so the folder is never free in
between. Which of the two writes is agreed by their messages (`cli.serving.handover`).
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from actors import limits
from storage import private_files
from storage.database import DatabaseProblem, plain_words

FILE_NAME = "server.lock"


class FolderLock:
    """Held as long as any process has its file open."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._is_ours = False

    def sign(self, keys: str) -> None:
        """Write down that this process is the holder, and what its tokens are signed by: for commands beside it."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{os.getpid()}\n{keys}\n".encode(), 0)
        self._is_ours = True

    def hand_over(self) -> None:
        """Another process goes on with it, and signs."""
        self._is_ours = False

    def close(self) -> None:
        if self._is_ours:
            os.ftruncate(self.descriptor, 0)
        os.close(self.descriptor)


@contextlib.contextmanager
def data_folder_lock(folder: Path, keys: str = "") -> Iterator[FolderLock]:
    """Hold the folder while inside; the kernel gives it back when the process ends, however it ends. `keys`: what the
    tokens of the holder are signed by, in one word, for commands beside it.

    Raises `DatabaseProblem` where another process holds it. The file stays: to delete it would be a race.
    """
    path = folder / FILE_NAME
    with plain_words(path):
        private_files.make_folder(folder)
        private_files.take_back_folder(folder)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, private_files.FILE_MODE)
    lock = FolderLock(descriptor)
    try:
        _take(descriptor, folder)
        lock.sign(keys)
        yield lock
    finally:
        lock.close()


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


def _take(descriptor: int, folder: Path) -> None:
    """`holder` takes the lock for an instant, to see whether it is free: a command that looks keeps no server out."""
    try:
        for _ in range(limits.LOCK_TRIES):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(limits.LOCK_PAUSE_SECONDS)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = _written(descriptor)
        named = f" (pid {who})" if who else ""
        raise DatabaseProblem(f"{folder}: another server{named} uses this folder; stop it first.") from None
    except OSError as error:
        raise DatabaseProblem(f"{folder / FILE_NAME}: {error.strerror}; it cannot be locked here.") from error


def holders_keys(folder: Path) -> str:
    """The keys that the holder of the folder has published; empty where the folder is free."""
    if holder(folder) is None:
        return ""
    lines = (folder / FILE_NAME).read_text(errors="replace").splitlines()
    return lines[1] if len(lines) > 1 else ""


def _written(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).partition(b"\n")[0].strip()
    return int(text) if text.isdigit() else 0
