"""The guard itself: what is left open is found on this Python version, too, whichever it is."""

import gc
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from peewee import SqliteDatabase

from storage.database import DatabaseOptions, open_writer
from storage.search.small_index import SmallIndex
from tests import connections


def left_open() -> None:
    sqlite3.connect(":memory:").execute("SELECT 1")
    gc.collect()


def left_open_by_peewee() -> None:
    SqliteDatabase(":memory:").connect()
    gc.collect()


def left_open_by_a_with_block() -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("SELECT 1")
    del connection
    gc.collect()


@pytest.mark.parametrize("leave", [left_open, left_open_by_peewee, left_open_by_a_with_block])
def test_a_connection_left_open_is_reported_with_where_it_was_opened(
    monkeypatch: pytest.MonkeyPatch, leave: Callable[[], None]
) -> None:
    reported: list[str] = []
    monkeypatch.setattr(connections.warnings, "warn", lambda text, *_, **__: reported.append(text))
    leave()
    (text,) = reported
    assert leave.__name__ in text
    assert "test_connections.py" in text


def test_one_that_is_closed_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[str] = []
    monkeypatch.setattr(connections.warnings, "warn", lambda text, *_, **__: reported.append(text))
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
        connection.execute("SELECT 1")
    del connection
    gc.collect()
    assert reported == []


def test_an_index_that_cannot_be_filled_is_closed() -> None:
    with pytest.raises(sqlite3.Error):
        SmallIndex([("no key", "text", "tags")])  # type: ignore[list-item]


def test_a_writer_is_closed_by_whichever_os_thread_ends_it(tmp_path: Path) -> None:
    database = open_writer(DatabaseOptions(tmp_path / "experience.db"))
    closer = threading.Thread(target=database.close)
    closer.start()
    closer.join()
    assert database.is_closed()
