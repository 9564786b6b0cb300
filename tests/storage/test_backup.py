"""Copies are of one moment and checked; what takes the database's place is whole, and nothing is lost on the way."""

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors import limits
from actors.identifiers import new_id
from storage import lock
from storage.database import DatabaseOptions, DatabaseProblem
from storage.lock import data_folder_lock
from storage.maintenance import copying, integrity, replacing
from storage.maintenance.opening import snapshot
from storage.schema import migrating as schema
from tests.builders import MIGRATIONS, Ledger, options, post


def silent(_: int, __: int) -> None: ...


def back_up(ledger: Ledger, target: Path, **more: bool) -> copying.Copy:
    return copying.backup(ledger.options, target, progress=silent, **more)


def restore(source: Path, ledger: Ledger, *, force: bool = False) -> replacing.Restored:
    return replacing.restore(source, ledger.options, force=force, progress=silent)


def ask(path: Path, text: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(text).fetchall()


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".") or path.name.endswith("partial")]


def wrong(path: Path) -> list[str]:
    with snapshot(DatabaseOptions(path)) as database:
        return [name for name, finding in integrity.check(database) if finding is not None]


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.apply(*(post(ana, thread, f"{n} " * 50) for n in range(400)))
    return ledger


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "backup.db"


# Backup


def test_a_copy_is_one_file_with_everything(filled: Ledger, target: Path) -> None:
    told: list[tuple[int, int]] = []
    copy = copying.backup(filled.options, target, progress=lambda done, total: told.append((done, total)))
    assert (copy.path, copy.size, copy.epoch) == (target, target.stat().st_size, filled.store.epoch)
    assert copy.position == filled.one("SELECT position FROM log_head") == 401
    assert told[-1][0] == told[-1][1] > 10
    assert [path.name for path in target.parent.iterdir()] == ["backup.db"]
    assert ask(target, "SELECT count(*) FROM message") == [(400,)]
    assert ask(target, "PRAGMA journal_mode") == [("delete",)]
    assert wrong(target) == []
    assert filled.one("PRAGMA journal_mode") == "wal"


def test_what_is_there_is_not_overwritten_unasked(filled: Ledger, target: Path) -> None:
    target.write_text("precious")
    with pytest.raises(DatabaseProblem, match="the file exists; choose another name, or use --force"):
        back_up(filled, target)
    assert target.read_text() == "precious"
    back_up(filled, target, overwrite=True)
    assert ask(target, "SELECT count(*) FROM message") == [(400,)]


def test_never_onto_the_database_itself(filled: Ledger, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(filled.path)
    for name in (filled.path, link):
        with pytest.raises(DatabaseProblem, match="the database itself"):
            back_up(filled, name, overwrite=True)
        with pytest.raises(DatabaseProblem, match="the database itself"):
            restore(name, filled)
    assert filled.one("SELECT count(*) FROM message") == 400


def test_places_that_cannot_be_written(filled: Ledger, tmp_path: Path) -> None:
    with pytest.raises(DatabaseProblem, match="this is a folder"):
        back_up(filled, tmp_path)
    with pytest.raises(DatabaseProblem, match="is the folder there"):
        back_up(filled, tmp_path / "no" / "backup.db")
    with pytest.raises(DatabaseProblem, match="there is no database"):
        copying.backup(options(tmp_path / "no.db"), tmp_path / "backup.db", progress=silent)


def test_what_others_may_not_read_they_may_not_read_in_the_copy(filled: Ledger, target: Path) -> None:
    filled.path.chmod(0o600)
    back_up(filled, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@contextlib.contextmanager
def writing(path: Path) -> Iterator[list[int]]:
    """Somebody who posts without a pause, on a connection of their own; tells how many so far."""
    ledger = Ledger(path)
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    done = [0]
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            ledger.apply(*(post(ana, thread, "x" * 500) for _ in range(5)))
            done[0] += 5

    writer = threading.Thread(target=run)
    writer.start()
    try:
        yield done
    finally:
        stop.set()
        writer.join()
        ledger.close()


def test_while_somebody_writes_it_is_of_one_moment(
    filled: Ledger, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it ends, though every commit of another connection would start a copy anew."""
    monkeypatch.setattr(limits, "BACKUP_PAGES", 5)
    with writing(filled.path) as done:
        steps = 0

        def wait_for_a_commit(_: int, __: int) -> None:
            nonlocal steps
            steps += 1
            before = done[0]
            while done[0] == before:
                pass

        copy = copying.backup(filled.options, target, progress=wait_for_a_commit)
        after = done[0]
    assert steps > 10
    assert after >= steps * 5
    assert wrong(target) == []
    assert ask(target, "SELECT max(position) FROM event") == [(copy.position,)]
    assert copy.position < filled.one("SELECT position FROM log_head")


def test_a_copy_that_fails_leaves_nothing(filled: Ledger, target: Path) -> None:
    def interrupt(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copying.backup(filled.options, target, progress=interrupt)
    assert list(target.parent.iterdir()) == []


def test_a_damaged_database_makes_no_backup(filled: Ledger, target: Path) -> None:
    filled.close()
    with filled.path.open("r+b") as file:
        file.seek(filled.path.stat().st_size // 2)
        file.write(b"\xaa" * 8192)
    with pytest.raises(DatabaseProblem, match="the file fails the check"):
        back_up(filled, target)
    assert list(target.parent.iterdir()) == []


def test_a_database_of_another_program(tmp_path: Path, target: Path) -> None:
    path = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (a)")
    with pytest.raises(DatabaseProblem, match="this is not a database of this server"):
        copying.backup(options(path), target, progress=silent)


def test_a_log_without_a_head(filled: Ledger, target: Path) -> None:
    filled.sql("DELETE FROM log_head")
    with pytest.raises(DatabaseProblem, match="its log has no head"):
        back_up(filled, target)


# Restore


def test_the_log_gets_a_new_epoch_and_the_old_database_is_kept(filled: Ledger, target: Path) -> None:
    back_up(filled, target)
    epoch = filled.store.epoch
    ana = filled.user("ana")
    filled.post(ana, filled.one("SELECT uid FROM thread"), "later", message_id="later")
    filled.close()
    done = restore(target, filled)
    assert done.epoch != epoch
    assert (done.position, done.migrated) == (401, [])
    assert ask(filled.path, "SELECT epoch, position FROM log_head") == [(done.epoch, 401)]
    assert ask(target, "SELECT epoch FROM log_head") == [(epoch,)]
    assert done.kept is not None
    assert ask(done.kept, "SELECT count(*) FROM message") == [(401,)]
    assert ask(done.kept, "SELECT epoch FROM log_head") == [(epoch,)]
    assert wrong(filled.path) == []
    assert leftovers(filled.path.parent) == []
    filled.reopen()
    filled.post(filled.user("ana"), filled.one("SELECT uid FROM thread"), "goes on")
    assert filled.one("SELECT position FROM log_head") == 402


def test_each_restore_has_its_own_epoch_and_keeps_what_was_there(filled: Ledger, target: Path) -> None:
    back_up(filled, target)
    filled.close()
    done = [restore(target, filled) for _ in range(3)]
    assert len({each.epoch for each in done}) == 3
    assert len({each.kept for each in done}) == 3


@pytest.mark.parametrize("foldable", [True, False])
def test_a_database_that_a_killed_server_left_is_kept_with_its_wal(
    foldable: bool, filled: Ledger, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not foldable:
        monkeypatch.setattr(replacing, "_fold", lambda _: None)
    back_up(filled, target)
    script = f"""
import os, sys
from pathlib import Path
from tests.builders import Ledger
ledger = Ledger(Path({str(filled.path)!r}))
ledger.post(ledger.user("ana"), ledger.one("SELECT uid FROM thread"), "the last words")
os._exit(0)
"""
    filled.close()
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert filled.path.with_name(filled.path.name + "-wal").stat().st_size > 0
    kept = restore(target, filled).kept
    assert kept is not None
    assert ask(kept, "SELECT content FROM message ORDER BY id DESC LIMIT 1") == [("the last words",)]
    assert ask(filled.path, "SELECT count(*) FROM message") == [(400,)]


def test_in_place_of_what_is_damaged(filled: Ledger, target: Path) -> None:
    back_up(filled, target)
    filled.close()
    filled.path.write_bytes(b"no database any more " * 1000)
    kept = restore(target, filled).kept
    assert kept is not None
    assert kept.read_bytes().startswith(b"no database any more")
    assert wrong(filled.path) == []


def test_where_there_is_none(filled: Ledger, target: Path, tmp_path: Path) -> None:
    back_up(filled, target)
    (tmp_path / "new").mkdir()
    path = tmp_path / "new" / "experience.db"
    assert replacing.restore(target, options(path), progress=silent).kept is None
    assert wrong(path) == []


def test_a_backup_of_an_older_version_is_brought_up_to_date(
    filled: Ledger, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(filled, target)
    later = tmp_path / "migrations"
    later.mkdir()
    for name in MIGRATIONS:
        (later / f"{name}.py").write_text((schema.DIRECTORY / f"{name}.py").read_text())
    (later / "0099_later.py").write_text("def up(migrator, db):\n    db.execute_sql('CREATE TABLE later (a)')\n")
    monkeypatch.setattr(schema, "DIRECTORY", later)
    filled.close()
    assert restore(target, filled).migrated == ["0099_later"]
    assert ask(filled.path, "SELECT count(*) FROM later") == [(0,)]


def refused(target: Path, filled: Ledger, reason: str) -> None:
    """A restore that is refused changes nothing."""
    filled.close()
    before = sorted(path.name for path in filled.path.parent.iterdir())
    epoch = ask(filled.path, "SELECT * FROM log_head")
    with pytest.raises(DatabaseProblem, match=reason) as caught:
        restore(target, filled)
    assert str(target) in str(caught.value)
    assert ".partial" not in str(caught.value)
    assert ask(filled.path, "SELECT * FROM log_head") == epoch
    assert sorted(path.name for path in filled.path.parent.iterdir()) == before


def test_files_that_are_no_backups(filled: Ledger, target: Path) -> None:
    refused(target, filled, "there is no such file")
    target.write_bytes(b"something else " * 1000)
    refused(target, filled, "not an SQLite database")
    target.unlink()
    with contextlib.closing(sqlite3.connect(target)) as database:
        database.execute("CREATE TABLE t (a)")
    refused(target, filled, "not a database of this server")


def test_a_backup_that_was_damaged(filled: Ledger, target: Path) -> None:
    back_up(filled, target)
    with target.open("r+b") as file:
        file.seek(target.stat().st_size // 2)
        file.write(b"\x55" * 8192)
    refused(target, filled, "the file fails the check")


def test_a_backup_of_a_newer_version(filled: Ledger, target: Path) -> None:
    back_up(filled, target)
    with contextlib.closing(sqlite3.connect(target)) as database, database:
        database.execute("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01 00:00:00')")
        database.execute("PRAGMA user_version = 9000000")
    refused(target, filled, "written by a newer version")


def test_a_backup_in_which_a_rule_is_broken_is_taken_by_force(filled: Ledger, target: Path) -> None:
    filled.sql("UPDATE thread SET message_count = 3")
    back_up(filled, target)
    refused(target, filled, "counts 3 messages, it has 400; --force restores it all the same")
    assert restore(target, filled, force=True).position == 401


def test_not_while_somebody_has_it_open(filled: Ledger, target: Path) -> None:
    back_up(filled, target)
    with pytest.raises(DatabaseProblem, match="another process has it open"):
        restore(target, filled)
    filled.post(filled.user("ana"), filled.one("SELECT uid FROM thread"), "undisturbed", message_id=new_id())
    assert leftovers(filled.path.parent) == []


def test_where_files_cannot_have_two_names(filled: Ledger, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("links are not supported here")

    back_up(filled, target)
    filled.close()
    monkeypatch.setattr(os, "link", fail)
    kept = restore(target, filled).kept
    assert kept is not None
    assert ask(kept, "SELECT count(*) FROM message") == [(400,)]
    assert wrong(filled.path) == []


def test_a_power_cut_before_the_last_step_leaves_the_old_one(
    filled: Ledger, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(filled, target)
    epoch = filled.store.epoch
    filled.close()

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as dying:
        dying.setattr(copying, "put_in_place", fail)
        with pytest.raises(DatabaseProblem, match="Input/output error"):
            restore(target, filled)
    filled.reopen()
    assert filled.store.epoch == epoch
    assert filled.one("SELECT count(*) FROM message") == 400


# Starting over


def test_starting_over(filled: Ledger) -> None:
    epoch = filled.store.epoch
    filled.close()
    assert replacing.start_over(filled.options) == MIGRATIONS
    assert wrong(filled.path) == []
    filled.reopen()
    assert filled.store.epoch != epoch
    assert filled.one("SELECT count(*) FROM user") == 0
    assert filled.one("PRAGMA auto_vacuum") == 2
    assert leftovers(filled.path.parent) == []


# The lock of the data folder


def test_the_folder_is_held_once(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "data"
    assert lock.holder(folder) is None
    with data_folder_lock(folder):
        assert lock.holder(folder) == os.getpid()
        sentence = f"{folder}: another server \\(pid {os.getpid()}\\) uses this folder; stop it first."
        with pytest.raises(DatabaseProblem, match=sentence), data_folder_lock(folder):
            raise AssertionError
        assert lock.holder(folder) == os.getpid()
    assert lock.holder(folder) is None
    with data_folder_lock(folder):
        pass


def test_whatever_ends_a_process_gives_the_folder_back(tmp_path: Path) -> None:
    script = f"""
import os, sys, time
from pathlib import Path
from storage.lock import data_folder_lock
with data_folder_lock(Path({str(tmp_path)!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(DatabaseProblem, match=f"pid {process.pid}"), data_folder_lock(tmp_path):
            raise AssertionError
        process.kill()
    with data_folder_lock(tmp_path):
        assert lock.holder(tmp_path) == os.getpid()


def test_a_holder_that_does_not_tell_who_it_is(tmp_path: Path) -> None:
    with data_folder_lock(tmp_path):
        (tmp_path / lock.FILE_NAME).write_text("who knows")
        with pytest.raises(DatabaseProblem, match="another server uses this folder"), data_folder_lock(tmp_path):
            raise AssertionError
        assert lock.holder(tmp_path) == 0


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseProblem, match="file"), data_folder_lock(tmp_path / "file"):
        raise AssertionError
