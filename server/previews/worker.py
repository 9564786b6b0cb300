"""A worker process: reads jobs from its standard input, one a line, and writes a line for each.

`python -m server.previews.worker`, started by `Previewer` with limits as the first line. Nothing but replies gets to
its standard output, whatever a library prints.
"""

import errno
import os
import sys
from typing import BinaryIO

import orjson

from server.previews import confinement, wire
from server.previews.job import Job
from server.previews.kinds import make
from server.previews.limits import WorkerLimits
from server.previews.preview import PreviewFailed


def main() -> None:
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limits = WorkerLimits(**orjson.loads(sys.stdin.buffer.readline()))
    confinement.confine(limits)
    for line in sys.stdin.buffer:
        confinement.limit_processor_time(limits.cpu_seconds)
        _say(replies, _reply(line))


def _say(replies: BinaryIO, line: bytes) -> None:
    replies.write(line)
    replies.flush()


def _reply(line: bytes) -> bytes:
    job = wire.read_job(line)
    try:
        return wire.preview_line(make(job))
    except PreviewFailed as failed:
        return wire.failure_line(failed.reason)
    except MemoryError:
        return wire.failure_line("it takes more memory than a preview may have", last=True)
    except Exception as error:  # noqa: BLE001 - whatever a library raises for a damaged file
        if _is_full(error):
            return wire.failure_line("the server's disk is full", retryable=True)
        return wire.failure_line(f"the file is damaged, or not what its type says ({_said(error, job)})")


def _is_full(error: Exception) -> bool:
    """Of the server, and not that the worker makes more than it may (EFBIG): then the file is to blame."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _said(error: Exception, job: Job) -> str:
    """Without the server's paths: users read it."""
    said = f"{type(error).__name__}: {error}"
    return said.replace(str(job.path), "the file").replace(str(job.into), "the preview")


if __name__ == "__main__":
    main()
