"""Programs that a worker starts: with its limits but for memory, without a shell, without anything to read."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from server.previews.confinement import allow_memory_of_commands
from server.previews.limits import COMMAND_OUTPUT_BYTES
from server.previews.preview import PreviewFailed


def run(arguments: Sequence[str], *, home: Path | None = None) -> bytes:
    """What it prints. Its time is the job's: it ends with the worker's process group.

    `home`: a folder for what it leaves beside its output, such as a profile: each run begins with a new one, and two
    side by side share none. Raises `PreviewFailed` where it fails, prints too much or is not there.
    """
    name = Path(arguments[0]).name
    try:
        running = _started(arguments, home)
    except OSError as error:
        raise PreviewFailed(f"{name} failed to start: {error.strerror}") from error
    with running:
        assert running.stdout is not None
        printed: bytes = running.stdout.read(COMMAND_OUTPUT_BYTES + 1)
        if len(printed) > COMMAND_OUTPUT_BYTES:
            running.kill()
            raise PreviewFailed(f"{name} prints more than {COMMAND_OUTPUT_BYTES} bytes")
    if running.returncode:
        raise PreviewFailed(f"{name} failed with status {running.returncode}")
    return printed


def _started(arguments: Sequence[str], home: Path | None) -> "subprocess.Popen[bytes]":
    places = {} if home is None else {"HOME": str(home), "TMPDIR": str(home)}
    return subprocess.Popen(  # noqa: S603 - a setting of the operator's, or ffmpeg; no shell
        list(arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **places},
        cwd=home,
        preexec_fn=allow_memory_of_commands,  # noqa: PLW1509 - safe: a worker has one thread
    )
