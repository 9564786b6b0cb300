"""Whose the files are: the server's alone, like its secret. Conversations are as private as what signs them."""

import contextlib
import os
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700
OTHERS = 0o077
SIDE_FILES = ("", "-wal", "-shm", "-journal")
"""Of a database; SQLite gives the others the mode of the first."""
OURS = (
    "experience.db", "experience-before-rollback-", "jwt-secret", "push-key", "file_urls.", "server.lock",
    "server.json", "deploy.sock", "running", "blobs", "uploads", "exports", "backup", "errors.json", "work",
)  # fmt: skip
"""How the names of what a server keeps in its data folder begin."""


def make_folder(path: Path) -> None:
    """Where there is none; one that is there is left as it is."""
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def make_file(path: Path) -> None:
    """An empty one, where there is none: SQLite would make it for all to read. What fails here SQLite says better."""
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))


def private(path: str, flags: int) -> int:
    """An opener for `open`: a file that is created is ours alone, from its first byte."""
    return os.open(path, flags, FILE_MODE)


def take_back(path: Path) -> None:
    """Take from others what a version before has let them read: a database and what stands beside it. Who does not own
    the files leaves them as they are; `xp doctor` says so."""
    for suffix in SIDE_FILES:
        with contextlib.suppress(OSError):
            tighten(path.with_name(path.name + suffix))


def take_back_folder(folder: Path) -> None:
    """The same of the data folder, where all that stands in it is ours: another may be shared on purpose."""
    with contextlib.suppress(OSError):
        if all(name.lstrip(".").startswith(OURS) for name in os.listdir(folder)):
            tighten(folder)


def tighten(path: Path) -> None:
    mode = path.stat().st_mode
    if mode & OTHERS and not path.is_symlink():
        path.chmod(mode & 0o700)


def is_open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & OTHERS)
