"""0004_memory: the log is copied into a table without a CHECK, whole or not at all."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest
from peewee import SqliteDatabase

from storage.database import open_writer
from storage.schema import migrating as schema
from tests.builders import Ledger, options

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = 3_000
NAME = "0004_memory"


@pytest.fixture
def old(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """A database as it was at first, with some threads and their log."""
    database = open_writer(options(tmp_path / "experience.db"))
    schema.runner(database).up(target="0001_initial")
    run = database.connection()
    run.execute(
        "INSERT INTO user VALUES (1, 'u', 's', 'e', 'n', NULL, 'USER', 'HUMAN', '', '', 'ACTIVE', '{}', 1, 0, 0)"
    )
    run.executemany(
        "INSERT INTO thread VALUES (?, ?, 'T', 1, 'ACTIVE', '{}', '{\"n\":1}', 0, ?, ?, NULL, 1, 0, 0, NULL)",
        [(n, f"t{n}", ENTRIES // 3, ENTRIES) for n in (1, 2, 3)],
    )
    run.executemany(
        "INSERT INTO event VALUES (?, ?, ?, ?, 1, ?, ?, ?)",
        [
            (
                n + 1,
                n % 3 + 1,
                n // 3 + 1,
                ("thread.updated", "read.updated")[n % 2],
                n,
                n or None,
                "{}" if n % 5 else None,
            )
            for n in range(ENTRIES)
        ],
    )
    yield database
    database.close()


LATER = {"event_artifact"}
"""Indexes that later migrations make."""


def look(database: SqliteDatabase) -> dict[str, Any]:
    """All that the migration touches."""
    ask = database.connection().execute
    return {
        "log": ask("SELECT * FROM event ORDER BY position").fetchall(),
        "threads": [row[:15] for row in ask("SELECT * FROM thread ORDER BY id").fetchall()],
        "indexes": [row[1:4] for row in ask("PRAGMA index_list(event)").fetchall() if row[1] not in LATER],
        "indexed": ask("PRAGMA index_info(event_thread_id_offset)").fetchall(),
        "references": sorted(row[2:] for row in ask("PRAGMA foreign_key_list(event)").fetchall()),
        "columns": ask("PRAGMA table_info(event)").fetchall(),
    }


def definition(database: SqliteDatabase) -> str:
    (row,) = database.execute_sql("SELECT sql FROM sqlite_master WHERE name = 'event'").fetchall()
    return str(row[0])


def tables(database: SqliteDatabase) -> set[str]:
    return {row[0] for row in database.execute_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}


def check_whole(database: SqliteDatabase) -> None:
    assert database.execute_sql("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute_sql("PRAGMA foreign_key_check").fetchall() == []
    assert "event_new" not in tables(database)


def test_everything_stays_but_the_check(old: SqliteDatabase, tmp_path: Path) -> None:
    was, check = look(old), definition(old)
    assert "CHECK" in check
    assert NAME in schema.migrate(old, tmp_path)
    assert look(old) == was
    assert "CHECK" not in definition(old)
    assert definition(old) == check[: check.index(" CHECK")] + check[check.index(', "actor_id"') :]
    assert old.execute_sql("SELECT DISTINCT memory_version FROM thread").fetchall() == [(1,)]
    check_whole(old)


def test_references_still_hold(old: SqliteDatabase, tmp_path: Path) -> None:
    schema.migrate(old, tmp_path)
    with pytest.raises(peewee.IntegrityError):
        old.execute_sql("INSERT INTO event VALUES (9999, 77, 1, 'memory.updated', 1, 0, NULL, NULL)")
    with pytest.raises(peewee.IntegrityError):
        old.execute_sql("INSERT INTO event VALUES (9999, 1, 1, 'memory.updated', 1, 0, NULL, NULL)")
    old.execute_sql("DELETE FROM thread WHERE id = 1")
    assert old.execute_sql("SELECT count(*), min(thread_id) FROM event").fetchone() == (ENTRIES * 2 // 3, 2)


def test_a_fresh_database_has_the_same(old: SqliteDatabase, tmp_path: Path) -> None:
    schema.migrate(old, tmp_path)
    fresh = Ledger(tmp_path / "fresh" / "experience.db", from_scratch=True)
    assert definition(old) == fresh.one("SELECT sql FROM sqlite_master WHERE name = 'event'")
    fresh.close()


def test_the_way_back(old: SqliteDatabase, tmp_path: Path) -> None:
    was, check = look(old), definition(old)
    schema.runner(old).up(target=NAME)
    old.execute_sql("INSERT INTO event VALUES (9999, 1, 9999, 'memory.updated', 1, 0, NULL, NULL)")
    with pytest.raises(peewee.IntegrityError, match="CHECK"), old.atomic("IMMEDIATE"):
        schema.runner(old).down()
    assert "memory.updated" in {row[3] for row in look(old)["log"]}, "nothing was lost"
    check_whole(old)
    old.execute_sql("DELETE FROM event WHERE position = 9999")
    with old.atomic("IMMEDIATE"):
        assert schema.runner(old).down() == [NAME]
    assert (look(old), definition(old)) == (was, check)
    check_whole(old)


KILLED = """
import os, signal, sys
from pathlib import Path
from storage.database import DatabaseOptions, open_writer
from storage.schema import migrating as schema

def look(sql):
    if sql.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

path = Path(sys.argv[1])
database = open_writer(DatabaseOptions(path, mmap_mib=0, cache_kib=64))  # so little that it writes before the commit
database.connection().set_trace_callback(look)
schema.migrate(database, path)
"""


@pytest.mark.parametrize(
    "moment",
    [
        'INSERT INTO "event_new"', 'DROP TABLE "event"', 'ALTER TABLE "event_new"', 'CREATE UNIQUE INDEX "event_thread',
        "COMMIT",
    ],
)  # fmt: skip
def test_a_kill_in_the_middle_leaves_it_as_it_was(old: SqliteDatabase, tmp_path: Path, moment: str) -> None:
    was, check, path = look(old), definition(old), tmp_path / "experience.db"
    old.close()
    command = [sys.executable, "-c", KILLED, str(path), moment]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    old.connect()
    assert (look(old), definition(old)) == (was, check)
    assert "memory_version" not in {row[1] for row in old.execute_sql("PRAGMA table_info(thread)")}
    check_whole(old)
    assert NAME in schema.migrate(old, tmp_path)
    assert look(old) == was
    check_whole(old)
