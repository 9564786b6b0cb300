"""Expand first, contract later: releases run side by side on one schema, and a migration that forbids it says so."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from peewee import SqliteDatabase

from storage.database import DatabaseProblem
from storage.journal.store import JournalStore
from storage.schema import check, compatibility
from storage.schema import migrating as schema
from storage.schema.expanding import expand
from tests.builders import MIGRATIONS, Ledger

EXPAND_FROM = "0036_reminders"
"""Up to here there was no release that could be running."""

EXPANDS = """
def up(migrator, db):
    db.execute_sql('CREATE TABLE later (id INTEGER PRIMARY KEY, note TEXT NOT NULL)')
    db.execute_sql('ALTER TABLE "user" ADD COLUMN later TEXT')
    db.execute_sql("ALTER TABLE message ADD COLUMN later INTEGER NOT NULL DEFAULT 0")
    db.execute_sql('CREATE INDEX message_later ON message (later)')

def down(migrator, db):
    db.execute_sql('DROP INDEX message_later')
    db.execute_sql("ALTER TABLE message DROP COLUMN later")
    db.execute_sql('ALTER TABLE "user" DROP COLUMN later')
    db.execute_sql('DROP TABLE later')
"""
CONTRACTS = """
OLDEST_RELEASE = "7.0.0"

def up(migrator, db):
    db.execute_sql('DROP TABLE user_activity')
"""


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`with later(text):` the code is that of a newer release, with one more migration."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for path in schema.DIRECTORY.glob("[0-9]*.py"):
        (folder / path.name).symlink_to(path)

    class Later:
        def __init__(self, text: str) -> None:
            (folder / "9000_later.py").write_text(text)

        def __enter__(self) -> None:
            monkeypatch.setattr(schema, "DIRECTORY", folder)

        def __exit__(self, *_: object) -> None:
            monkeypatch.undo()

    return Later


def test_the_running_release_goes_on_with_a_schema_that_was_expanded(ledger: Ledger, later: Any) -> None:
    """Also while its connections are open: what it writes and reads names its columns."""
    ana = ledger.user("ana")
    with later(EXPANDS):
        assert expand(ledger.options, compatibility.own_release()) == ["9000_later"]
    thread = ledger.thread(ana)
    ledger.post(ana, thread, "written by the old release")
    assert check.is_ours(ledger.store.database)
    ledger.reopen()  # as a rollback does
    assert check.differences(ledger.store.database) == []
    ledger.post(ana, thread, "written by the old release, started again")
    assert ledger.sql("SELECT later FROM message") == [(0,), (0,)]
    with later(EXPANDS):
        newer = JournalStore(ledger.options)
        newer.open()
        newer.close()


def test_a_trigger_is_seen_on_a_newer_schema_too(ledger: Ledger, later: Any) -> None:
    with later(EXPANDS):
        expand(ledger.options, compatibility.own_release())
    with closing(sqlite3.connect(ledger.path)) as database, database:
        database.execute("CREATE TRIGGER quiet AFTER INSERT ON audit BEGIN DELETE FROM audit; END")
    assert check.differences(ledger.store.database) == ["The trigger 'quiet' is not one that the migrations make."]


def test_what_the_running_release_reads_is_not_taken_away_beside_it(ledger: Ledger, later: Any) -> None:
    before = ledger.dump()
    with (
        later(CONTRACTS),
        pytest.raises(DatabaseProblem, match=r"9000_later takes away what the running release 6\.9\.9"),
    ):
        expand(ledger.options, "6.9.9")
    assert ledger.dump() == before
    with later(CONTRACTS):
        assert expand(ledger.options, "7.0.0") == ["9000_later"]
    ledger.close()
    store = JournalStore(ledger.options)
    with pytest.raises(DatabaseProblem, match=r"newer version of the server \(it has 9000_later\)"):
        store.open()
    store.close()


def test_a_contraction_that_is_undone_is_forgotten(tmp_path: Path, later: Any) -> None:
    database = SqliteDatabase(tmp_path / "experience.db")
    with later(CONTRACTS + "\ndef down(migrator, db):\n    pass\n"):
        schema.migrate(database, tmp_path)
        assert database.execute_sql("PRAGMA user_version").fetchone() == (7_000_000,)
        assert not compatibility.runs_here(database)
        schema.rollback(database, tmp_path, 1)
    assert compatibility.runs_here(database)
    database.close()


def test_an_older_release_with_a_migration_of_its_own_keeps_what_a_newer_one_demands(
    tmp_path: Path, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as 7.0.1, made after 8.0.0: it runs on what 8.0.0 left, and adds to it; 6.0.0 still does not."""
    database = SqliteDatabase(tmp_path / "experience.db")
    with later(CONTRACTS):
        schema.migrate(database, tmp_path)
    monkeypatch.setattr(compatibility, "own_release", lambda: "7.0.1")
    database.execute_sql("DELETE FROM schema_migration WHERE name = '0037_notices'")
    database.execute_sql('DROP TABLE "notice"')
    assert schema.migrate(database, tmp_path) == ["0037_notices"]
    assert database.execute_sql("PRAGMA user_version").fetchone() == (7_000_000,)
    database.close()


@pytest.mark.parametrize(("release", "number"), [("0.1.0", 1_000), ("1.2.3", 1_002_003), ("1.2.3rc1", 1_002_003)])
def test_releases_are_compared_as_numbers(release: str, number: int) -> None:
    assert compatibility.number(release) == number


def test_a_release_that_is_none() -> None:
    with pytest.raises(ValueError, match="expected a release such as"):
        compatibility.number("next")


# The rule for migrations

Schema = dict[str, Any]


def described(database: Any) -> Schema:
    """Tables with their columns, unique indexes and triggers: what the statements of a release meet."""
    run = database.execute_sql if isinstance(database, SqliteDatabase) else database.execute
    names = [name for (name,) in run("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    kinds = "type IN ('trigger', 'view') OR (type = 'index' AND sql LIKE 'CREATE UNIQUE%')"
    return {
        "columns": {
            (table, column): (kind.upper(), not_null, default, key)
            for table in names
            for _, column, kind, not_null, default, key in run(f'PRAGMA table_info("{table}")').fetchall()
        },
        "tables": {
            table: run("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0] or "" for table in names
        },
        "acting": dict(run(f"SELECT name, sql FROM sqlite_master WHERE {kinds}").fetchall()),
    }


def contractions(before: Schema, after: Schema) -> list[str]:
    """What a release that was written for the schema before may not find, or may be refused, after."""
    old, new = before["columns"], after["columns"]
    kept = {table for table in before["tables"] if table in after["tables"]}
    return [
        *(f"table {table} is gone" for table in before["tables"].keys() - kept),
        *(f"column {t}.{c} is gone" for t, c in old.keys() - new.keys() if t in kept),
        *(f"column {t}.{c} is another one" for t, c in old.keys() & new.keys() if old[t, c] != new[t, c]),
        *(
            f"column {t}.{c} has no default"
            for t, c in new.keys() - old.keys()
            if t in kept and new[t, c][1] and new[t, c][2] is None
        ),
        *(
            f"a rule of {table} is another one"
            for table in kept
            if rules(before["tables"][table]) != rules(after["tables"][table])
        ),
        *(
            f"{name} acts on what was there"
            for name, sql in after["acting"].items()
            if before["acting"].get(name) != sql and any(re.search(rf"\b{table}\b", sql or "") for table in kept)
        ),
    ]


def rules(sql: str) -> list[str]:
    """The CHECKs of a table, by their beginnings."""
    return sorted(re.findall(r"CHECK\s*\(.{0,200}", re.sub(r"\s+", " ", sql)))


def test_each_migration_adds_or_says_which_releases_it_ends(tmp_path: Path) -> None:
    """See CONTRIBUTING.md, *Add a migration*."""
    with closing(SqliteDatabase(tmp_path / "experience.db")) as database:
        runner = schema.runner(database)
        runner.up(target=EXPAND_FROM)
        before = described(database)
        for migration in runner.status()[MIGRATIONS.index(EXPAND_FROM) + 1 :]:
            runner.up(target=migration.name)
            after = described(database)
            if compatibility.declared(migration) is None:
                assert contractions(before, after) == [], f"{migration.name}: declare OLDEST_RELEASE, or only add"
            before = after


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DROP TABLE a", "table a is gone"),
        ("ALTER TABLE a RENAME TO c", "table a is gone"),
        ("ALTER TABLE a DROP COLUMN y", "column a.y is gone"),
        ("ALTER TABLE a RENAME COLUMN y TO z", "column a.y is gone"),
        ("ALTER TABLE a ADD COLUMN z TEXT NOT NULL DEFAULT ''", None),
        ("ALTER TABLE a ADD COLUMN z TEXT", None),
        ("ALTER TABLE a ADD COLUMN z TEXT CHECK (x > 3)", "a rule of a is another one"),
        ("CREATE TABLE c (x INTEGER NOT NULL, y TEXT UNIQUE)", None),
        ("CREATE INDEX i ON a (y)", None),
        ("CREATE UNIQUE INDEX i ON a (y)", "i acts on what was there"),
        ("CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM a; END", "t acts on what was there"),
        ("CREATE TABLE n (x INTEGER NOT NULL, y TEXT, z TEXT NOT NULL); DROP TABLE a; ALTER TABLE n RENAME TO a",
         "column a.z has no default"),
        ("CREATE TABLE n (x TEXT, y TEXT); DROP TABLE a; ALTER TABLE n RENAME TO a", "column a.x is another one"),
    ],
)  # fmt: skip
def test_the_rule_finds_what_a_release_would_miss(statement: str, found: str | None) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE a (x INTEGER NOT NULL, y TEXT)")
        before = described(database)
        database.executescript(statement)
        assert contractions(before, described(database)) == ([found] if found else [])
