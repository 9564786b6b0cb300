"""stdin, stdout and stderr, however a command is started."""

import io
import os
import sys
from typing import Any, TextIO

STDIN, STDOUT, STDERR = range(3)
OUTPUT = "stdout"
"""What an error of it names as its file."""


class _Output(io.FileIO):
    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = OUTPUT
            raise


def make_usable() -> None:
    """One that is closed (`>&-`) leads nowhere, else the next file that is opened, a database, would have its number.
    What the encoding of a terminal lacks is shown as a question mark. In a test they are the test's."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = open(STDIN, closefd=False)  # noqa: SIM115 - as Python opens it
    if sys.stdout is sys.__stdout__:
        if sys.stdout is not None:
            sys.stdout.flush()
        out = io.BufferedWriter(_Output(STDOUT, "w", closefd=False))
        sys.stdout = io.TextIOWrapper(
            out, _encoding(sys.stdout), "replace", line_buffering=out.isatty(),
            write_through="PYTHONUNBUFFERED" in os.environ,
        )  # fmt: skip
    if sys.stderr is sys.__stderr__:
        err = io.BufferedWriter(io.FileIO(STDERR, "w", closefd=False))
        sys.stderr = io.TextIOWrapper(err, _encoding(sys.stderr), "backslashreplace", line_buffering=True)


def _encoding(stream: TextIO | None) -> str | None:
    """None where it was closed: that of the locale."""
    return None if stream is None else stream.encoding


def drop_output() -> None:
    """What is in its buffer, and all that follows: else the end of the process fails with it once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDOUT)
    os.close(nowhere)
