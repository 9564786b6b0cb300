"""A schema that was changed past the server: seen at start, by `xp db check`, doctor, verify and restore."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from actors.errors import StorageUnavailable
from actors.resources.users import CreateUser
from storage.database import DatabaseProblem, open_writer
from storage.journal.store import JournalStore
from storage.maintenance import copying, integrity, replacing
from storage.schema import check as schema_check
from storage.schema import migrating as schema
from tests.builders import MIGRATIONS, Ledger, options

CHANGES = {
    "a trigger": "CREATE TRIGGER quiet AFTER INSERT ON audit WHEN NEW.actor_id = 'x' BEGIN DELETE FROM audit; END",
    "a trigger of another table": "CREATE TRIGGER late AFTER INSERT ON event BEGIN DELETE FROM audit; END",
    "a view": "CREATE VIEW everybody AS SELECT * FROM user",
    "a table": "CREATE TABLE more (a)",
    "an index": "CREATE INDEX more ON message (content)",
    "an index less": "DROP INDEX audit_action",
    "a column": "ALTER TABLE user ADD COLUMN more TEXT",
    "a table less": "DROP TABLE user_activity",
}  # fmt: skip


def change(path: Path, statement: str) -> None:
    """As another process does."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def test_ours_is_ours(ledger: Ledger) -> None:
    assert schema_check.differences(ledger.store.database) == []
    ledger.sql("ANALYZE")
    ledger.sql("VACUUM")
    assert schema_check.differences(ledger.store.database) == []
    assert schema_check.is_ours(ledger.store.database)


@pytest.mark.parametrize("newest", MIGRATIONS)
def test_what_each_version_has_made_is_ours_too(newest: str, tmp_path: Path) -> None:
    database = open_writer(options(tmp_path / "experience.db"))
    schema.runner(database).up(target=newest)
    assert schema_check.differences(database) == []
    database.execute_sql("CREATE TABLE more (a)")
    assert schema_check.differences(database) == ["The table 'more' is not one that the migrations make."]
    database.close()


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen_by_all_who_look(what: str, ledger: Ledger, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    change(ledger.path, CHANGES[what])
    found = dict(ledger.ask(lambda database: list(integrity.check(database))))
    assert found["the schema"] is not None
    ledger.close()
    store = JournalStore(ledger.options)
    with pytest.raises(DatabaseProblem, match="changed outside the server"):
        store.open()
    store.close()
    copying.backup(ledger.options, backup, progress=lambda *_: None)
    (tmp_path / "other").mkdir()
    for force in (False, True):
        with pytest.raises(DatabaseProblem, match="changed outside the server"):
            replacing.restore(backup, options(tmp_path / "other" / "e.db"), force=force, progress=lambda *_: None)


@pytest.mark.parametrize("what", [name for name in CHANGES if "trigger" in name])
def test_a_trigger_that_comes_while_the_server_runs_stops_acts(what: str, ledger: Ledger) -> None:
    root = ledger.admin("root")
    ledger.do(CreateUser(identity=root, email="a@example.com", name="A"))
    change(ledger.path, CHANGES[what])
    with pytest.raises(StorageUnavailable, match="audit log cannot be written"):
        ledger.do(CreateUser(identity=root, email="b@example.com", name="B"))
    thread = ledger.thread(root)
    ledger.post(root, thread)
    change(ledger.path, f"DROP TRIGGER {CHANGES[what].split()[2]}")
    ledger.do(CreateUser(identity=root, email="b@example.com", name="B"))
