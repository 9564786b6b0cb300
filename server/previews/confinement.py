"""What a worker process gives up before it reads the first file."""

import contextlib
import ctypes
import os
import resource
import signal
import sys

from server.previews.limits import NICENESS, WorkerLimits

CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38


def confine(limits: WorkerLimits) -> None:
    """Memory, files and their size for good; no network, no new rights, and an end with the server, where the platform
    has that (Linux). Processor time is limited for each job."""
    if limits.counts_mapped:
        _limit(resource.RLIMIT_AS, limits.memory, max(limits.memory, limits.command_memory))
    else:
        _limit(resource.RLIMIT_DATA, limits.memory, limits.memory)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes, limits.file_bytes)
    _limit(resource.RLIMIT_NOFILE, limits.open_files, limits.open_files)
    _limit(resource.RLIMIT_CORE, 0, 0)
    os.nice(NICENESS)
    if sys.platform == "linux":
        _confine_on_linux()


def limit_processor_time(seconds: int) -> None:
    """From now on; the process is killed by SIGXCPU beyond it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + seconds + 1
    _limit(resource.RLIMIT_CPU, until, resource.getrlimit(resource.RLIMIT_CPU)[1])


def allow_memory_of_commands() -> None:
    """In the child, before it becomes a converter: as much as its parent may grant."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _limit(kind: int, soft: int, hard: int) -> None:
    """Never above what the process may have already; macOS takes no limit of address space."""
    most = resource.getrlimit(kind)[1]
    hard = hard if most == resource.RLIM_INFINITY else min(hard, most) if hard != resource.RLIM_INFINITY else most
    soft = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (soft, hard))


def _confine_on_linux() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # where memory runs out, a preview goes first
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as group:
        group.write(str(NICENESS))  # each session has one share, which the niceness of its processes does not change
    if libc.unshare(CLONE_NEWNET) != 0:
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)  # not everywhere; without it there is a network
