"""What goes wrong with files and locks is told in plain words, and goes away with its cause."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest

from actors.errors import Conflict, NotFound, StorageUnavailable
from actors.outcomes import Done
from actors.resources.members import MarkRead
from storage.database import DatabaseOptions, DatabaseProblem, open_reader, open_writer, plain_words, unavailable
from storage.journal.store import JournalStore
from storage.readers.pool import Readers
from storage.resources.log import reading as log
from storage.resources.messages import reading as messages
from storage.resources.users import reading as users
from tests.builders import Ledger, options, post

# Opening


def test_the_folder_is_made(tmp_path: Path) -> None:
    made = Ledger(tmp_path / "a" / "b" / "experience.db")
    assert made.path.is_file()
    made.close()


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(DatabaseProblem, match=r"data: (File exists|Not a directory)\.$"):
        open_writer(options(tmp_path / "data" / "experience.db"))


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "experience.db").mkdir()
    with pytest.raises(DatabaseProblem, match="it cannot be opened; is the folder there, and may this user write"):
        open_writer(options(tmp_path / "experience.db"))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "experience.db").write_text("This was a letter to my grandmother. " * 100)
    with pytest.raises(DatabaseProblem, match="this is not an SQLite database; point DATA_DIR elsewhere"):
        open_writer(options(tmp_path / "experience.db"))


def test_a_reader_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatabaseProblem, match="it cannot be opened"):
        open_reader(options(tmp_path / "experience.db"))
    assert not (tmp_path / "experience.db").exists()


def test_a_store_that_could_not_be_opened_can_be_closed(tmp_path: Path) -> None:
    """The composition root closes what it opened, in any case; that must not hide why the start failed."""
    (tmp_path / "data").write_text("a file")
    store = JournalStore(options(tmp_path / "data" / "experience.db"))
    with pytest.raises(DatabaseProblem):
        store.open()
    store.close()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (peewee.OperationalError("attempt to write a readonly database"), "file or its folder is read-only"),
        (sqlite3.OperationalError("unable to open database file"), "cannot be opened; is the folder there"),
        (peewee.OperationalError("database is locked"), "another process holds a lock on it"),
        (peewee.OperationalError("database table is locked"), "another process holds a lock on it"),
        (peewee.OperationalError("database or disk is full"), "the disk is full; free some space"),
        (peewee.OperationalError("disk I/O error"), "the disk reports an error"),
        (peewee.DatabaseError("file is not a database"), "this is not an SQLite database"),
        (sqlite3.DatabaseError("database disk image is malformed"), "the file is damaged"),
        (peewee.OperationalError("something new"), "something new."),
        (PermissionError(13, "Permission denied", "/data/x"), "/data/x: permission denied; the server must be able"),
        (OSError(28, "No space left on device"), "No space left on device."),
    ],
)
def test_plain_words(error: Exception, sentence: str) -> None:
    with pytest.raises(DatabaseProblem) as caught, plain_words(Path("/data/experience.db")):
        raise error
    told = str(caught.value)
    assert sentence in told
    assert told.startswith("/data/")
    assert "\n" not in told
    assert caught.value.__cause__ is error


def test_plain_words_leave_other_errors_alone() -> None:
    with pytest.raises(KeyError), plain_words(Path("x")):
        raise KeyError("a defect")


def test_what_a_client_is_told_can_be_retried() -> None:
    told = unavailable(peewee.OperationalError("database or disk is full"))
    assert told.retryable
    assert "the disk is full" in told.detail


# The connection that writes


def test_a_commit_is_synced_by_default(tmp_path: Path) -> None:
    database = open_writer(DatabaseOptions(tmp_path / "experience.db"))
    pragmas = {
        name: database.execute_sql(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    database.close()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process's transaction: to SQLite another connection is just that."""
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
    finally:
        other.close()


def test_locked_by_another_process(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "experience.db", busy_timeout_ms=20)
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    before = ledger.dump()
    with locked(ledger.path), pytest.raises(StorageUnavailable, match="another process holds a lock"):
        ledger.apply(post(ana, thread))
    assert ledger.dump() == before
    assert ledger.post(ana, thread).number == 1
    ledger.close()


def test_a_lock_that_goes_in_time_is_waited_for(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "experience.db", busy_timeout_ms=10_000)
    ana = ledger.user("ana")
    other = sqlite3.connect(ledger.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    async def write_while_locked() -> Any:
        writing = asyncio.get_running_loop().run_in_executor(None, ledger.thread, ana)
        done, _ = await asyncio.wait([writing], timeout=0.05)
        assert not done
        other.execute("COMMIT")
        return await writing

    assert asyncio.run(write_while_locked()).title == "T"
    other.close()
    ledger.close()


def fill(ledger: Ledger) -> int:
    """From now on the database may not grow by a single page; answers what it may hold otherwise."""
    allowed = ledger.one("PRAGMA max_page_count")
    ledger.sql(f"PRAGMA max_page_count = {ledger.one('PRAGMA page_count')}")
    return int(allowed)


def make_room(ledger: Ledger, pages: int) -> None:
    ledger.sql(f"PRAGMA max_page_count = {pages}")


LARGE = "x" * 50_000


def test_disk_full(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.post(ana, thread, "before")
    before = ledger.dump()
    allowed = fill(ledger)
    with pytest.raises(StorageUnavailable) as caught:
        ledger.apply(post(ana, thread, LARGE), post(ana, thread, "small"))
    assert caught.value.detail == "Nothing was written: the disk is full; free some space and try again."
    assert ledger.dump() == before
    with pytest.raises(StorageUnavailable):  # and again, without a transaction left open in between
        ledger.apply(post(ana, thread, LARGE))
    assert [m.content for m in ledger.ask(messages.page, ana, thread.id, limit=9).items] == ["before"]
    make_room(ledger, allowed)
    assert ledger.post(ana, thread, LARGE).number == 2
    assert [e.offset for e in ledger.ask(log.after_offset, ana, thread.id, 0, limit=9).events] == [1, 2, 3]


def test_disk_full_while_commands_run_one_by_one(ledger: Ledger) -> None:
    """A refusal in the batch makes each command run under a savepoint, which SQLite drops when the disk is full."""
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    stranger = ledger.user("stranger")
    before = ledger.dump()
    allowed = fill(ledger)
    with pytest.raises(StorageUnavailable, match="the disk is full"):
        ledger.apply(post(stranger, thread), post(ana, thread, LARGE), post(ana, thread, "after"))
    assert ledger.dump() == before
    make_room(ledger, allowed)
    refused, done = ledger.apply(post(stranger, thread), post(ana, thread, LARGE))
    assert isinstance(refused, NotFound)
    assert isinstance(done, Done)


def test_a_commit_and_a_rollback_that_both_fail_leave_nothing_open(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)

    def fail() -> None:
        raise peewee.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.store.database, "commit", fail)
        patched.setattr(ledger.store.database, "rollback", fail)
        with pytest.raises(StorageUnavailable, match="the disk reports an error"):
            ledger.apply(post(ana, thread))
    assert ledger.one("SELECT count(*) FROM message") == 0
    assert ledger.post(ana, thread).number == 1


def test_a_database_that_was_damaged_meanwhile_is_unavailable(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "experience.db")
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    page, size = ledger.one("SELECT rootpage FROM sqlite_master WHERE name = 'message'"), ledger.one("PRAGMA page_size")
    ledger.close()
    with ledger.path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    store = JournalStore(ledger.options)
    store.open()
    try:
        with pytest.raises(StorageUnavailable, match="Nothing was written: the file is damaged"):
            store.apply([post(ana, thread)])
        (done,) = store.apply([MarkRead(identity=ana, thread_id="none")])  # nothing is left open
        assert isinstance(done, NotFound)
    finally:
        store.close()


# Connections that read


def test_a_reader_cannot_write(ledger: Ledger) -> None:
    with pytest.raises(peewee.OperationalError, match="readonly"):
        ledger.reader.execute_sql("DELETE FROM log_head")


def test_a_path_with_signs_of_uris_is_read(tmp_path: Path) -> None:
    """Readers open the file by a URI, in which these mean something."""
    ledger = Ledger(tmp_path / "100% #1?" / "experience.db")
    assert ledger.ask(log.head_position) == 0
    ledger.close()


async def test_questions_are_answered_on_threads_of_their_own(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    readers = Readers(ledger.options)
    try:
        assert await readers.run(users.one, ana.user.id) == ana.user
        answers = await asyncio.gather(*(readers.run(users.one, ana.user.id) for _ in range(20)))
        assert answers == [ana.user] * 20
    finally:
        readers.close()


async def test_a_question_is_answered_from_one_moment(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)

    def twice(database: peewee.SqliteDatabase) -> tuple[int, int]:
        before = log.head_position(database)
        ledger.post(ana, thread)
        return before, log.head_position(database)

    readers = Readers(ledger.options)
    try:
        before, after = await readers.run(twice)
        assert before == after
        assert await readers.run(log.head_position) == before + 1
    finally:
        readers.close()


async def test_a_refusal_comes_through_and_the_reader_lives(ledger: Ledger) -> None:
    readers = Readers(ledger.options, size=1)
    try:
        with pytest.raises(NotFound):
            await readers.run(users.one, "nobody")
        assert await readers.run(log.head_position) == 0
    finally:
        readers.close()


async def test_a_reader_that_cannot_open_says_unavailable_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "experience.db"
    readers = Readers(options(path), size=1)
    try:
        with pytest.raises(StorageUnavailable, match="it cannot be opened") as caught:
            await readers.run(log.head_position)
        assert "written" not in caught.value.detail
        Ledger(path).close()
        assert await readers.run(log.head_position) == 0
    finally:
        readers.close()


async def test_a_question_that_fails_says_unavailable(ledger: Ledger) -> None:
    def broken(database: peewee.SqliteDatabase) -> None:
        database.execute_sql("SELECT missing FROM log_head")

    readers = Readers(ledger.options, size=1)
    try:
        with pytest.raises(StorageUnavailable):
            await readers.run(broken)
        assert await readers.run(log.head_position) == 0
    finally:
        readers.close()


def open_files() -> set[str]:
    """What this process holds open; empty where the system does not tell."""
    folder = Path("/proc/self/fd")
    return {str(link.resolve()) for link in folder.iterdir() if link.exists()} if folder.is_dir() else set()


async def test_closing_closes_the_connections_that_read(ledger: Ledger) -> None:
    """What reads last keeps the write-ahead log from being folded into the database file."""
    readers = Readers(ledger.options)
    ana = ledger.user("ana")
    await readers.run(users.one, ana.user.id)
    readers.close()
    ledger.store.close()
    assert str(ledger.path) not in open_files()
    assert not ledger.path.with_name("experience.db-wal").exists()
    ledger.store.open()


# What only one command did wrong


def test_a_defect_in_one_command_fails_only_that_one(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    far = MarkRead(identity=ana, thread_id=thread.id, offset=2**80)  # beyond what SQLite counts
    first, bad, last = ledger.apply(post(ana, thread, "one"), far, post(ana, thread, "two"))
    assert isinstance(first, Done)
    assert isinstance(last, Done)
    assert getattr(bad, "code", None) == "internal"
    assert [m.content for m in ledger.ask(messages.page, ana, thread.id, limit=9).items] == ["two", "one"]


def test_an_unknown_command_fails_only_itself(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    bad, good = ledger.apply(object(), post(ana, thread))
    assert getattr(bad, "code", None) == "internal"
    assert isinstance(good, Done)


def test_text_that_cannot_be_stored_fails_only_its_message(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    bad, good = ledger.apply(post(ana, thread, "half a pair: \ud83d"), post(ana, thread, "fine"))
    assert getattr(bad, "code", None) == "internal"
    assert isinstance(good, Done)
    assert ledger.one("SELECT message_count FROM thread") == 1


def test_an_unexpected_constraint_fails_only_its_command(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    bad, good = ledger.apply(post(ana, thread, type="SHOUTED"), post(ana, thread))
    assert getattr(bad, "code", None) == "internal"
    assert isinstance(good, Done)
    assert not isinstance(bad, Conflict)
