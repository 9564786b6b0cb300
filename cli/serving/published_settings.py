"""What a running server was started with: a file beside its lock, for commands in other shells."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from cli import settings
from cli.settings import Settings

FILE_NAME = "server.json"

Shown = Mapping[str, str | None]
"""Setting → its value as people read it, secrets masked."""


@contextlib.contextmanager
def published(chosen: Settings) -> Iterator[None]:
    """Let other commands see the settings, while inside. The caller holds the lock of the data folder."""
    path: Path = chosen["data_dir"] / FILE_NAME
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"pid": os.getpid(), "settings": settings.shown(chosen)}, file)
    partial.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def settings_of(folder: Path) -> Shown | None:
    """Of the server that holds the folder now; None where there is none, or where it is unknown."""
    from storage.lock import holder

    try:
        published_by = json.loads((folder / FILE_NAME).read_bytes())
        return published_by["settings"] if published_by["pid"] == holder(folder) else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
