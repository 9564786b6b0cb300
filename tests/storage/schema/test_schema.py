"""The schema: migrated once, by whoever comes first, and the same as the models say."""

import collections
import subprocess
import sys
from pathlib import Path

import pytest
from playhouse.schema_diff import diff_models

from storage.database import DatabaseProblem, open_writer
from storage.journal.store import JournalStore
from storage.schema import migrating as schema
from tests.builders import MIGRATIONS, Ledger, options

ROOT = Path(__file__).resolve().parents[3]


def test_a_fresh_database_gets_every_migration(tmp_path: Path) -> None:
    database = open_writer(options(tmp_path / "new" / "experience.db"))
    assert schema.migrate(database, tmp_path) == MIGRATIONS
    tables = {row[0] for row in database.execute_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {model._meta.table_name for model in schema.MODELS} <= tables
    assert database.execute_sql("SELECT count(*), max(position) FROM log_head").fetchone() == (1, 0)
    database.close()


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    database = open_writer(options(tmp_path / "experience.db"))
    schema.migrate(database, tmp_path)
    epoch = database.execute_sql("SELECT epoch FROM log_head").fetchone()
    assert schema.migrate(database, tmp_path) == []
    assert database.execute_sql("SELECT epoch FROM log_head").fetchall() == [epoch]
    assert all(migration.applied for migration in schema.status(database))
    database.close()


def test_each_migration_has_a_number_of_its_own() -> None:
    """Their order is that of their names: two that share a number swap places when one is renamed. Two pairs were
    released like that."""
    numbers = collections.Counter(name.partition("_")[0] for name in MIGRATIONS)
    assert {number for number, count in numbers.items() if count > 1} == {"0009", "0018"}
    assert sorted(map(int, numbers)) == list(range(1, len(numbers) + 1))


def test_the_models_are_what_the_migrations_made(ledger: Ledger) -> None:
    difference = diff_models(ledger.store.database, schema.MODELS)
    assert not difference, difference


def test_the_enumerations_of_the_migration_are_those_of_the_models(ledger: Ledger) -> None:
    """`diff_models` does not compare constraints."""
    made = dict(ledger.sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    for model in schema.MODELS:
        meta = model._meta
        for field in meta.sorted_fields:
            for constraint in field.constraints or ():
                assert constraint.sql in made[meta.table_name], (meta.table_name, field.name)


def test_foreign_keys_hold(ledger: Ledger) -> None:
    assert ledger.one("PRAGMA foreign_keys") == 1
    assert ledger.sql("PRAGMA foreign_key_check") == []


def test_a_database_with_pending_migrations_is_refused_where_none_may_be_applied(tmp_path: Path) -> None:
    store = JournalStore(options(tmp_path / "experience.db"), migrate_on_open=False)
    with pytest.raises(DatabaseProblem, match=f"{len(MIGRATIONS)} migrations are pending; run `xp db migrate`"):
        store.open()
    store.close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(ledger: Ledger) -> None:
    ledger.sql("INSERT INTO schema_migration (name, applied) VALUES ('0099_future', '2040-01-01')")
    ledger.sql("PRAGMA user_version = 9000000")
    before = ledger.dump()
    store = JournalStore(ledger.options)
    with pytest.raises(DatabaseProblem, match=r"newer version of the server \(it has 0099_future\)"):
        store.open()
    store.close()
    assert ledger.dump() == before


def test_a_failing_migration_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_good.py").write_text("def up(migrator, db):\n    db.execute_sql('CREATE TABLE good (a)')\n")
    (folder / "0002_bad.py").write_text(
        "def up(migrator, db):\n    db.execute_sql('CREATE TABLE bad (a)')\n    db.execute_sql('SELECT missing')\n"
    )
    monkeypatch.setattr(schema, "DIRECTORY", folder)
    path = tmp_path / "experience.db"
    database = open_writer(options(path))
    with pytest.raises(DatabaseProblem, match="could not be brought up to date: no such column: missing"):
        schema.migrate(database, path)
    assert database.execute_sql("SELECT name FROM sqlite_master").fetchall() == []
    database.close()


STARTER = """
import sys
from pathlib import Path
from storage.database import DatabaseOptions
from storage.journal.store import JournalStore

store = JournalStore(DatabaseOptions(Path(sys.argv[1]), synchronous="OFF", mmap_mib=0))
print("ready", flush=True)
sys.stdin.readline()
store.open()
print("epoch", store.epoch, flush=True)
store.close()
"""


def start(path: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", STARTER, str(path)]
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_processes_that_start_at_once_agree_on_one_schema(tmp_path: Path) -> None:
    path = tmp_path / "experience.db"
    starters = [start(path) for _ in range(4)]
    try:
        for starter in starters:
            assert starter.stdout is not None
            assert starter.stdout.readline() == "ready\n"
        for starter in starters:  # all wait at the same line: let them go together
            assert starter.stdin is not None
            starter.stdin.write("\n")
            starter.stdin.flush()
        told = [starter.communicate(timeout=30) for starter in starters]
    finally:
        for starter in starters:
            starter.kill()
            starter.wait()
            for stream in (starter.stdin, starter.stdout, starter.stderr):
                assert stream is not None
                stream.close()
    assert [error for _, error in told] == [""] * len(starters)
    assert len({out for out, _ in told}) == 1
    assert told[0][0].startswith("epoch ")
    again = Ledger(path)
    assert again.sql("SELECT name FROM schema_migration") == [(name,) for name in MIGRATIONS]
    assert again.one("SELECT count(*) FROM log_head") == 1
    again.close()
