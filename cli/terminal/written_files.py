"""Files that commands write: whole or not at all, and nothing is overwritten unasked."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import click


def force_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--force", is_flag=True, help="Overwrite an existing file.")(command)


PRIVATE = 0o600
"""Nobody else's to read, like what it was made from."""


@contextlib.contextmanager
def written(name: str, *, force: bool) -> Iterator[IO[bytes]]:
    """A file that appears under its name when all of it is there; `-` is stdout, which gets it when all of it is there:
    a reader of it that is slow, or waits, holds up nothing that it is made from. Open what is read inside."""
    if name == "-":
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return
    path = Path(name)
    must_be_free(path, force=force)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb") as file:
            yield file
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def must_be_free(path: Path, *, force: bool) -> None:
    if path.is_dir():
        raise click.ClickException(f"{path}: this is a folder; give the name of a file.")
    if path.exists() and not force:
        raise click.ClickException(f"{path}: the file exists; choose another name, or use --force.")
