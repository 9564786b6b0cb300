"""Another process that holds the database."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.database import FILE_NAME


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else can write while the block runs."""
    database = sqlite3.connect(folder / FILE_NAME, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
    finally:
        database.close()
