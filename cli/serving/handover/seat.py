"""What a server process serves with, and hands over: the listening socket, and the lock of the data folder."""

import os
import shutil
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.lock import FolderLock


@dataclass(slots=True)
class Seat:
    listener: socket.socket
    lock: FolderLock
    previous: Sequence[str] | None = None
    """The command of the server before this one, which a rollback hands over to."""


def own_python() -> str:
    """The Python of this installation. Links of folders are followed: where a link leads changes, and a rollback has to
    start this very release."""
    inside = Path(sys.prefix).resolve() / "bin" / Path(sys.executable).name
    return str(inside) if inside.exists() else sys.executable


def serving_command(python: str) -> list[str]:
    """A server of another installation, with the flags of this process. `-P`: the code of that installation, not what
    is in the current folder."""
    return [python, "-P", "-m", "cli.main", *sys.argv[1:]]


def found_command(words: Sequence[str]) -> list[str]:
    """A command as it can be started from any folder. Raises `ValueError`."""
    program = shutil.which(words[0])
    if program is None:
        raise ValueError(f"{words[0]}: there is no such program")
    return [os.path.abspath(program), *words[1:]]
