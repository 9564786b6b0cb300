"""Readers survive what happens to their connections."""

from pathlib import Path

import pytest
from peewee import OperationalError, SqliteDatabase

from actors.errors import ShuttingDown, StorageUnavailable
from storage.readers.pool import Readers
from tests.builders import Ledger, options


def threads(database: SqliteDatabase) -> int:
    return int(database.execute_sql("SELECT count(*) FROM thread").fetchone()[0])


async def test_a_connection_that_failed_is_opened_anew(ledger: Ledger, tmp_path: Path) -> None:
    ledger.thread(ledger.user("ana"))
    readers = Readers(ledger.store._options, size=1)
    used: list[SqliteDatabase] = []

    def failing(database: SqliteDatabase) -> int:
        used.append(database)
        raise OperationalError("disk I/O error")

    def working(database: SqliteDatabase) -> int:
        used.append(database)
        return threads(database)

    with pytest.raises(StorageUnavailable):
        await readers.run(failing)
    assert await readers.run(working) == 1
    assert used[0] is not used[1]
    readers.close()


async def test_a_defect_keeps_the_connection(ledger: Ledger) -> None:
    readers = Readers(ledger.store._options, size=1)

    def failing(database: SqliteDatabase) -> int:
        raise ValueError("a defect")

    for _ in range(3):
        with pytest.raises(ValueError, match="a defect"):
            await readers.run(failing)
    assert len(readers._databases) == 1
    readers.close()


async def test_who_asks_after_the_end_is_answered(tmp_path: Path) -> None:
    readers = Readers(options(tmp_path / "nothing.db"))
    readers.close()
    with pytest.raises(ShuttingDown):
        await readers.run(threads)
