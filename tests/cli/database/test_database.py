"""`xp db`."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from actors.resources.users import CreateUser, UpdateUser
from cli import database
from storage.lock import data_folder_lock
from storage.maintenance import inspection, integrity
from storage.schema import migrating as schema
from tests.builders import MIGRATIONS, Ledger
from tests.cli.conftest import Xp, sign_in


def tables_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


# Which database


def test_every_verb_takes_another_database(xp: Xp, tmp_path: Path) -> None:
    other = tmp_path / "copies" / "other.db"
    for url in (f"sqlite:///{other}", str(other)):
        assert xp("db", "migrate", "--database", url).code == 0
        assert xp("db", "info", "--json", "--database", url).json["path"] == str(other)
        assert xp("db", "check", "--database", url).code == 0
    assert not xp.database.exists()
    verbs = [verb for verb in database.COMMANDS if verb != "new"]
    for verb in verbs:
        assert "--database URL" in xp("db", verb, "--help").out, verb


@pytest.mark.parametrize("url", ["postgres://host/name", "sqlite://", "sqlite:///", "/", "."])
def test_databases_that_are_not_served(url: str, xp: Xp) -> None:
    ran = xp("db", "info", "--database", url)
    assert (ran.code, "expected a file, or its URL such as sqlite:///copy.db" in ran.err) == (2, True)


# Migrations


def test_rollback_undoes_the_newest_and_keeps_a_copy(xp: Xp) -> None:
    xp("db", "migrate")
    done = xp("db", "rollback", "--yes", "--steps", "2", "--json").json
    assert done["undone"] == MIGRATIONS[:-3:-1]
    states = {found["name"]: bool(found["applied"]) for found in xp("db", "status", "--json").json}
    assert [name for name, applied in states.items() if applied] == MIGRATIONS[:-2]
    assert xp("db", "check", "--database", done["kept"]).code == 0, "what was there before"
    assert xp("db", "migrate").out == f"Applied {', '.join(MIGRATIONS[-2:])}.\n"
    assert xp("db", "check").code == 0


def test_rollback_to_nothing_and_back(xp: Xp) -> None:
    xp("db", "migrate")
    xp("sampledata")
    assert xp("db", "rollback", "--yes", "--steps", str(len(MIGRATIONS))).code == 0
    assert "message" not in tables_of(xp.database)
    assert xp("db", "migrate").code == 0


def test_rollback_is_refused(xp: Xp) -> None:
    assert "there is no database" in xp("db", "rollback", "--yes").sentence
    xp("db", "migrate")
    said = xp("db", "rollback", "--yes", "--steps", "99").sentence
    assert said == f"{xp.database}: {len(MIGRATIONS)} migrations are applied; 99 of them cannot be undone."
    assert not list(xp.folder.glob("*before-rollback*")), "nothing was changed, so nothing is kept"
    assert xp("db", "rollback", stdin="n\n").code == 1
    with data_folder_lock(xp.folder):
        assert "another server" in xp("db", "rollback", "--yes").sentence
    assert xp("db", "migrate").out == "The schema is up to date.\n"


def test_migrate_makes_the_database_and_then_has_nothing_to_do(xp: Xp) -> None:
    assert xp("db", "migrate").out == f"Applied {', '.join(MIGRATIONS)}.\n"
    assert "message" in tables_of(xp.database)
    assert xp("db", "migrate").out == "The schema is up to date.\n"
    assert xp("db", "migrate", "--json").json == {"applied": []}


def test_status(xp: Xp) -> None:
    xp("db", "migrate")
    found = xp("db", "status", "--json").json
    assert [migration["name"] for migration in found] == MIGRATIONS
    assert all(migration["known"] and migration["applied"] for migration in found)
    assert re.search(r"0001_initial +│ applied 20", xp("db", "status").out)


def test_pending_and_unknown_migrations(xp: Xp) -> None:
    xp.folder.mkdir()
    xp.database.touch()
    assert "pending: xp db migrate" in xp("db", "status").out
    pending = [{"name": name, "applied": None, "known": True} for name in MIGRATIONS]
    assert xp("db", "status", "--json").json == pending
    xp("db", "migrate")
    with closing(sqlite3.connect(xp.database)) as database, database:
        database.execute("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01 00:00:00')")
        database.execute("PRAGMA user_version = 9000000")
    assert "by a newer version" in xp("db", "status").out
    for words in (["migrate"], ["info"], ["check"]):
        assert "written by a newer version of the server" in xp("db", *words).sentence


def test_no_migration_under_a_running_server(xp: Xp) -> None:
    with data_folder_lock(xp.folder):
        assert "another server" in xp("db", "migrate").sentence
    xp("db", "migrate")
    with data_folder_lock(xp.folder):
        assert xp("db", "migrate").code == 0  # there is nothing to do


def test_a_new_migration_is_ready_to_be_filled(xp: Xp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0007_before.py").touch()
    monkeypatch.setattr(schema, "DIRECTORY", tmp_path)
    assert xp("db", "new", "Add pins!").out == f"Wrote {tmp_path / '0008_add_pins.py'}; fill in `up` and `down`.\n"
    text = (tmp_path / "0008_add_pins.py").read_text()
    assert text.startswith('"""Add pins."""\n')
    scope: dict[str, Any] = {}
    exec(text, scope)
    with pytest.raises(NotImplementedError):
        scope["up"](None, None)
    assert xp("db", "new", "!").code == 2


# Looking


def test_info(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    ledger.post(ana, ledger.thread(ana))
    found = xp("db", "info", "--json").json
    assert found["path"] == str(xp.database)
    assert found["size"] > 0
    assert found["wal_size"] > 0
    assert found["sqlite"] == sqlite3.sqlite_version
    assert found["epoch"] == ledger.store.epoch
    assert found["position"] == 2
    assert found["newest"].endswith("Z")
    assert found["rows"].keys() == set(inspection.names()) - {"log_head"}
    assert [found["rows"][name] for name in ("user", "thread", "member", "message", "event")] == [1, 1, 1, 1, 2]
    shown = xp("db", "info").out
    assert f"epoch {ledger.store.epoch}, position 2" in shown


def test_info_of_an_empty_one(xp: Xp) -> None:
    xp("db", "migrate")
    assert xp("db", "info", "--json").json["newest"] is None
    assert re.search(r"^newest event +–$", xp("db", "info").out, re.MULTILINE)


def test_tables(xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    found = {table["table"]: table for table in xp("db", "tables", "--json").json}
    assert found["user"]["rows"] == 1
    assert found["user"]["bytes"] >= 4096
    assert re.search(r"^│ user +│ +1 │", xp("db", "tables").out, re.MULTILINE)


def test_tables_where_sqlite_cannot_tell_sizes(xp: Xp, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.maintenance.inspection.table_sizes", lambda _: None)
    assert {"table": "log_head", "rows": 1, "bytes": None} in xp("db", "tables", "--json").json
    assert " ? │" in xp("db", "tables").out


# Asking


def test_questions(xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    assert xp("db", "query", "SELECT name, avatar_url, 1.5 AS n FROM user", "--json").json == [
        {"name": "ana", "avatar_url": None, "n": 1.5}
    ]
    assert xp("db", "query", "SELECT 1 AS a, 2 AS a, x'00ff' AS b, 3 AS a", "--json").json == [
        {"a": 1, "a:2": 2, "b": "00ff", "a:3": 3}
    ]
    shown = xp("db", "query", "SELECT name, avatar_url, x'00ff' FROM user").out
    assert "│ ana  │ NULL       │ x'00ff' │" in shown


@pytest.mark.parametrize(
    "text",
    [
        "PRAGMA table_info(user)", "EXPLAIN QUERY PLAN SELECT * FROM user", "VALUES (1)", "PRAGMA page_count",
        "SELECT * FROM pragma_index_list('user')", "SELECT count(*) FROM dbstat", "PRAGMA integrity_check",
        "SELECT * FROM json_each('[1, 2]')",
    ],
)  # fmt: skip
def test_everything_that_only_tells(text: str, xp: Xp, ledger: Ledger) -> None:
    assert xp("db", "query", text).code == 0


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM user", "INSERT INTO log_head (epoch, position) VALUES ('x', 1)", "UPDATE user SET name = ''",
        "DROP TABLE user", "CREATE TABLE t (a)", "CREATE TEMP TABLE t (a)", "PRAGMA query_only = 0",
        "PRAGMA journal_mode = DELETE", "PRAGMA user_version = 3", "ATTACH '/tmp/x.db' AS x", "DETACH main",
        "VACUUM", "VACUUM INTO '/tmp/x.db'", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "REINDEX", "ANALYZE",
        "SELECT load_extension('x')", "DELETE FROM user RETURNING id", "PRAGMA writable_schema = 1",
        "WITH t AS (SELECT 1) UPDATE user SET name = ''", "SAVEPOINT s", "PRAGMA wal_checkpoint(TRUNCATE)",
    ],
)  # fmt: skip
def test_nothing_that_writes(text: str, xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    before = ledger.dump()
    assert xp("db", "query", text).sentence == ("Only reading is allowed here: SELECT, EXPLAIN, and read-only pragmas.")
    assert ledger.dump() == before
    assert ledger.one("PRAGMA journal_mode") == "wal"
    assert ledger.one("PRAGMA user_version") != 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT * FROM nowhere", "SQLite rejects it: no such table: nowhere."),
        ("SELEC 1", 'SQLite rejects it: near "SELEC": syntax error.'),
        ("SELECT 1; SELECT 2", "One statement at a time"),
        ("SELECT ?", "without parameters"),
        ("", "This returns no rows; write a SELECT."),
        ("-- nothing", "This returns no rows; write a SELECT."),
    ],
)
def test_what_is_no_question(text: str, said: str, xp: Xp, ledger: Ledger) -> None:
    assert said in xp("db", "query", "--", text).sentence


def test_as_many_rows_as_wanted(xp: Xp, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.XP_ROWS", 3)
    many = "WITH r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 7) SELECT n FROM r"
    shown = xp("db", "query", many)
    assert len(shown.out.splitlines()) == 3 + 4
    assert shown.err == "Only the first 3 rows are shown; --limit 0 shows all.\n"
    assert xp("db", "query", many, "--limit", "7").err == ""
    assert len(xp("db", "query", many, "--limit", "0").out.splitlines()) == 7 + 4
    assert len(xp("db", "query", many, "--json").json) == 7
    assert xp("db", "query", many, "--json", "--limit", "1").json == [{"n": 1}]


# Checking


def test_a_sound_database(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    ledger.post(ana, ledger.thread(ana))
    assert (xp("db", "check").code, xp("db", "check").out) == (0, f"All {integrity.CHECKS + 1} checks passed.\n")
    ran = xp("db", "check", "--json")
    assert (ran.code, ran.json) == (0, [])


def test_findings(xp: Xp, ledger: Ledger) -> None:
    ana = ledger.user("ana")
    threads = [ledger.thread(ana) for _ in range(12)]
    ledger.sql("UPDATE thread SET message_count = 3")
    ran = xp("db", "check")
    assert ran.code == 1
    assert ran.out.splitlines()[0] == "counted messages: 12 findings"
    assert f"    Thread {threads[0].id} counts 3 messages, it has 0." in ran.out.splitlines()
    assert ran.out.splitlines()[-1] == "    … and 2 more"
    ran = xp("db", "check", "--json")
    assert ran.code == 1
    (finding,) = ran.json
    assert (finding["check"], finding["count"], len(finding["examples"])) == ("counted messages", 12, 10)


# Copies


@pytest.mark.parametrize("name", ["", "/", ".", ".."])
def test_a_backup_has_the_name_of_a_file(xp: Xp, ledger: Ledger, name: str) -> None:
    assert "this is a folder; name a file." in xp("db", "backup", name).sentence


def test_backup_and_restore(xp: Xp, tmp_path: Path) -> None:
    ledger = Ledger(xp.database)
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.post(ana, thread, "before")
    epoch = ledger.store.epoch
    file = tmp_path / "backup.db"
    copied = xp("db", "backup", file, "--json").json
    assert copied == {"path": str(file), "size": file.stat().st_size, "epoch": epoch, "position": 2, "files": None}
    ledger.post(ana, thread, "after")
    ledger.close()
    restored = xp("db", "restore", file, "--json").json
    assert restored["epoch"] != epoch
    assert restored["position"] == 2
    assert xp("db", "info", "--json").json["epoch"] == restored["epoch"]
    assert [e["data"]["content"] for e in xp("thread", "tail", thread.id, "--after", "1", "--json").lines] == ["before"]
    kept = Path(restored["kept"])
    assert kept.parent == xp.folder
    (entry,) = xp("audit", "list", "--json").json
    assert (entry["action"], entry["credential"]) == ("restore_database", "terminal")
    assert (entry["target_kind"], entry["target_id"]) == ("database", restored["epoch"])
    with closing(sqlite3.connect(kept)) as database:
        assert database.execute("SELECT content FROM message").fetchall() == [("before",), ("after",)]
    assert xp("db", "check").code == 0


def test_what_is_said_of_copies(xp: Xp, tmp_path: Path) -> None:
    xp("db", "migrate")
    file = tmp_path / "backup.db"
    assert xp("db", "backup", file).out.startswith(f"Wrote {file} (")
    assert xp("db", "backup", file).sentence == f"{file}: the file exists; choose another name, or use --force."
    assert xp("db", "backup", file, "--force").code == 0
    shown = xp("db", "restore", file).out.splitlines()
    assert shown[0].startswith(f"Restored {file}, the log up to position 0; its new epoch is ")
    assert shown[1].startswith(f"The previous database is {xp.database}.before-")


def test_restore_into_an_empty_folder(xp: Xp, tmp_path: Path) -> None:
    xp("db", "migrate")
    xp("db", "backup", tmp_path / "backup.db")
    elsewhere = tmp_path / "elsewhere"
    assert xp("db", "restore", tmp_path / "backup.db", "--data-dir", elsewhere, "--json").json["kept"] is None
    assert xp("db", "check", "--data-dir", elsewhere).code == 0


@pytest.mark.parametrize("words", [["restore", "backup.db"], ["fresh", "--yes"], ["fresh"]], ids=" ".join)
def test_not_while_a_server_holds_the_folder(words: list[str], xp: Xp, ledger: Ledger) -> None:
    ledger.user("ana")
    with data_folder_lock(xp.folder):
        assert "another server (pid " in xp("db", *words).sentence
    assert ledger.one("SELECT count(*) FROM user") == 1


@pytest.mark.parametrize("words", [["restore"], ["fresh", "--yes"]])
def test_not_while_another_process_has_it_open(words: list[str], xp: Xp, ledger: Ledger, tmp_path: Path) -> None:
    ledger.user("ana")
    file = tmp_path / "backup.db"
    xp("db", "backup", file)
    arguments = [*words, file] if words == ["restore"] else words
    assert (
        xp("db", *arguments).sentence == f"{xp.database}: another process has it open; end that process and try again."
    )
    assert ledger.one("SELECT count(*) FROM user") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.db", "data"]


def test_export(xp: Xp, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.XP_PROGRESS_ROWS", 1)
    ana = ledger.user("ana")
    message = ledger.post(ana, ledger.thread(ana), "hello")
    sign_in(ledger, ana)
    folder = tmp_path / "a" / "b"
    said = xp("db", "export", folder).out
    tables = inspection.names()
    assert sorted(file.name for file in folder.iterdir()) == sorted(f"{table}.jsonl" for table in tables)
    rows = sum(len(file.read_text().splitlines()) for file in folder.iterdir())
    assert said == f"Wrote {rows} rows of {len(tables)} tables to {folder}.\n"
    assert f'"uid":"{message.id}"' in (folder / "message.jsonl").read_text()
    assert len((folder / "event.jsonl").read_text().splitlines()) == 2
    ((salt,),) = ledger.sql("SELECT origin_salt FROM audit")
    assert salt.hex() in (folder / "audit.jsonl").read_text(), "bytes are hexadecimal"
    assert {f"{path.stat().st_mode & 0o777:o}" for path in folder.iterdir()} == {"600"}
    assert "the file exists" in xp("db", "export", folder).sentence
    assert xp("db", "export", folder, "--force").code == 0


# fresh


def test_fresh_asks_first(xp: Xp) -> None:
    ledger = Ledger(xp.database)
    ana = ledger.user("ana")
    ledger.post(ana, ledger.thread(ana))
    epoch = ledger.store.epoch
    ledger.close()
    asked = xp("db", "fresh", stdin="n\n")
    assert asked.code == 1
    assert f"1 user, 1 thread and 1 message in {xp.database} will be deleted for good. Continue? [y/N]" in asked.err
    assert xp("db", "info", "--json").json["rows"]["message"] == 1
    assert xp("db", "fresh", stdin="y\n").code == 0
    found = xp("db", "info", "--json").json
    assert found["rows"]["message"] == 0
    assert found["epoch"] != epoch
    assert not list(xp.folder.glob("*.before-*"))


def test_fresh_for_scripts(xp: Xp) -> None:
    (xp.folder).mkdir()
    (xp.folder / "jwt-secret").write_text("stays")
    assert xp("db", "fresh", "--yes").out == f"{xp.database} is now an empty database.\n"
    assert xp("db", "fresh", "--yes").code == 0
    assert xp("db", "check").code == 0
    assert (xp.folder / "jwt-secret").read_text() == "stays"


def test_fresh_in_place_of_what_is_no_database(xp: Xp) -> None:
    xp.folder.mkdir()
    xp.database.write_bytes(b"no database " * 1000)
    asked = xp("db", "fresh", stdin="y\n")
    assert asked.code == 0
    assert f"Everything in {xp.database} will be deleted" in asked.err
    assert xp("db", "check").code == 0


def test_mails_that_waited_in_a_backup_are_not_sent_after_its_restore(xp: Xp, ledger: Ledger, tmp_path: Path) -> None:
    root = ledger.admin("root")
    user = ledger.do(CreateUser(identity=root, email="ana@example.com", name="Ana")).result
    ledger.do(UpdateUser(identity=root, user_id=user.id, email="new@example.com"))
    assert xp("db", "backup", tmp_path / "copy.db").code == 0
    ledger.close()
    assert xp("db", "restore", tmp_path / "copy.db").code == 0
    ledger.reopen()
    assert ledger.sql("SELECT state FROM notice") == [("failed",)]
