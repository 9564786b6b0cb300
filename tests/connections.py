"""SQLite connections that nobody closes fail the suite on every Python version: before 3.13, `sqlite3` closes them
silently when they are collected, and then files stay open for as long as the garbage collector likes."""

import os
import sqlite3
import sys
import traceback
import warnings
from typing import Any

FRAMES = 8


class Connection(sqlite3.Connection):
    """A connection that remembers where it was opened, and warns if it is collected unclosed."""

    opened_at: traceback.StackSummary | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.opened_by = os.environ.get("PYTEST_CURRENT_TEST", "no test")
        callers = traceback.walk_stack(sys._getframe(2))  # of `watched`
        self.opened_at = traceback.StackSummary.extract(callers, limit=FRAMES, lookup_lines=False)

    def close(self) -> None:
        super().close()
        self.opened_at = None

    def __del__(self) -> None:
        if self.opened_at is not None:
            where = "".join(reversed(self.opened_at.format()))
            report = f"unclosed connection, opened in {self.opened_by} at\n{where}"
            warnings.warn(report, ResourceWarning, stacklevel=2, source=self)


def watch() -> None:
    """Make every connection of this process one that warns; a `factory` of one's own is left alone."""
    connect = sqlite3.connect

    def watched(*args: Any, **options: Any) -> sqlite3.Connection:
        return connect(*args, **({"factory": Connection} | options))

    sqlite3.connect = sqlite3.dbapi2.connect = watched  # type: ignore[assignment]
