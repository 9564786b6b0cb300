"""Programs that a worker starts: with its limits but for memory, without a shell, without anything to read."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from server.previews.confinement import allow_memory_of_commands
from server.previews.limits import COMMAND_OUTPUT_BYTES
from server.previews.preview import PreviewFailed


def run(arguments: Sequence[str]) -> bytes:
    """What it prints. Its time is the job's: whoever kills the worker's process group kills it, too.

    Raises `PreviewFailed` where it fails or is not there.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a setting of the operator's, or ffmpeg; no shell
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            preexec_fn=allow_memory_of_commands,  # safe: a worker has one thread
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise PreviewFailed(f"{Path(arguments[0]).name} failed with status {error.returncode}") from error
    except OSError as error:
        raise PreviewFailed(f"{Path(arguments[0]).name} failed to start: {error.strerror}") from error
    return done.stdout[:COMMAND_OUTPUT_BYTES]
