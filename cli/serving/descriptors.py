"""How many connections there may be: as many as the system gives file descriptors, but for those needed otherwise."""

import os
import resource
from pathlib import Path

from actors import limits

_OPEN_FILES = (Path("/proc/self/fd"), Path("/dev/fd"))


def connections_at_most() -> int:
    """Raises the soft limit as far as it may; call it once what else the server opens is open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, limits.DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft == resource.RLIM_INFINITY:
        soft = limits.DESCRIPTORS
    return max(limits.CONNECTIONS_LEAST, soft - _in_use() - _spare(soft))


def _in_use() -> int:
    return next((len(os.listdir(folder)) for folder in _OPEN_FILES if folder.is_dir()), 16)


def _spare(files: int) -> int:
    """All of it, unless there are so few that nothing would be left."""
    return min(limits.SPARE_FILES, max(24, files // 8))
