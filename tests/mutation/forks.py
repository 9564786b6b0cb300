"""A copy of this process that does some work, and says lines until it ends."""

import contextlib
import os
import select
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator

Say = Callable[[str], None]


def forked(work: Callable[[Say], None], patience: float) -> Iterator[str]:
    """What the copy says, line by line, until it ends, or says nothing for `patience` seconds while it is listened to.

    It begins at once. It has a temporary folder of its own. That goes with it, and so do all processes that it has
    started.
    """
    folder = tempfile.mkdtemp(prefix="m-")
    ours, theirs = os.pipe()
    if (pid := os.fork()) == 0:
        os.close(ours)
        _work(work, folder, theirs)
    os.close(theirs)
    return _heard(pid, ours, folder, patience)


def _heard(pid: int, ours: int, folder: str, patience: float) -> Iterator[str]:
    try:
        yield from _lines(ours, patience)
    finally:
        os.close(ours)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        shutil.rmtree(folder, ignore_errors=True)


def _work(work: Callable[[Say], None], folder: str, out: int) -> None:
    os.setsid()
    tempfile.tempdir = os.environ["TMPDIR"] = folder
    try:
        with os.fdopen(out, "w", buffering=1) as stream:
            work(lambda line: print(line, file=stream))
    finally:
        os._exit(0)  # what the process above would do at its end is not for us


def _lines(descriptor: int, patience: float) -> Iterator[str]:
    rest = b""
    while select.select([descriptor], [], [], patience)[0] and (piece := os.read(descriptor, 1 << 20)):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.decode()
