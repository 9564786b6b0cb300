"""What a server process serves with, and hands over: the listening socket, and the lock of the data folder."""

import os
import shutil
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.lock import FolderLock

_INITS = ("tini", "docker-init", "dumb-init", "catatonit")
"""First processes of containers that end with their child."""


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


def ends_a_container() -> bool:
    """Whether a container ends with this process: its first one, or the child of an init that is there for it alone."""
    if os.getpid() == 1:
        return True
    try:
        first = Path("/proc/1/comm").read_text().strip()
    except OSError:
        return False
    return os.getppid() == 1 and first in _INITS


def found_command(words: Sequence[str]) -> list[str]:
    """A command as it can be started from any folder. Raises `ValueError`."""
    program = shutil.which(words[0])
    if program is None:
        raise ValueError(f"{words[0]}: there is no such program")
    return [os.path.abspath(program), *words[1:]]
