"""The write-ahead log is folded into the database while commits go on, and does not grow without an end."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actors.resources.users import DeleteUser
from storage.journal import checkpoints
from tests.builders import Ledger, options, post

ROWS = 20


@pytest.fixture
def folding(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, checkpoints.Folded]]:
    """Each checkpoint: the name of its OS thread, and what it did."""
    done: list[tuple[str, checkpoints.Folded]] = []

    def noted(connection: sqlite3.Connection) -> checkpoints.Folded:
        folded = fold(connection)
        done.append((threading.current_thread().name, folded))
        return folded

    fold = checkpoints.fold
    monkeypatch.setattr(checkpoints, "fold", noted)
    return done


@pytest.fixture
def quick(tmp_path: Path) -> Any:
    made = Ledger(tmp_path / "experience.db", checkpoint_rows=ROWS, wal_pages=1)
    yield made
    made.close()


def write(ledger: Ledger, messages: int, then: Callable[[], object] = lambda: None) -> None:
    who = ledger.user()
    thread = ledger.thread(who)
    for _ in range(messages):
        ledger.do(post(who, thread))
        ledger.store.catch_up(idle=False)
        then()


def rest(ledger: Ledger) -> None:
    """Until the checkpoint that has begun has ended."""
    checkpointing = ledger.store._checkpoints
    while checkpointing._due.is_set():
        pass
    with checkpointing.paused():
        pass


def log_size(ledger: Ledger) -> int:
    return Path(f"{ledger.path}-wal").stat().st_size


def test_another_os_thread_folds_the_log(quick: Ledger, folding: list[tuple[str, checkpoints.Folded]]) -> None:
    write(quick, ROWS, then=lambda: rest(quick))
    threads = [name for name, _ in folding]
    assert "checkpoints" in threads
    assert all(folded.done == folded.pages for _, folded in folding)


def test_a_log_that_is_nearly_folded_starts_over(quick: Ledger) -> None:
    sizes: list[int] = []

    def look() -> None:
        rest(quick)
        sizes.append(log_size(quick))

    write(quick, 5 * ROWS, then=look)
    assert sizes[-1] == sizes[len(sizes) // 2], "it has not grown since"


def test_the_writer_folds_only_what_came_while_the_other_one_did(
    quick: Ledger, folding: list[tuple[str, checkpoints.Folded]]
) -> None:
    write(quick, ROWS, then=lambda: rest(quick))
    writers = [folded for name, folded in folding if name != "checkpoints"]
    assert 0 < len(writers) <= len(folding) - len(writers), "once for each time that the other one did"
    assert all(folded.done == folded.pages for folded in writers)


def test_a_reader_that_holds_an_old_page_holds_the_log_until_it_ends(
    quick: Ledger, folding: list[tuple[str, checkpoints.Folded]]
) -> None:
    write(quick, 1)
    rest(quick)
    quick.store.catch_up(idle=False)
    with contextlib.closing(sqlite3.connect(quick.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM event").fetchone()
        folding.clear()
        write(quick, ROWS, then=lambda: rest(quick))
        assert folding
        assert all(folded.done < folded.pages for _, folded in folding)
        assert all(name == "checkpoints" for name, _ in folding), "the writer does not try what cannot be"
    write(quick, ROWS, then=lambda: rest(quick))
    assert folding[-1][1].done == folding[-1][1].pages


def test_what_is_erased_leaves_the_log_beside_checkpoints(quick: Ledger) -> None:
    who = quick.user()
    thread = quick.thread(who)
    quick.post(who, thread, "platypuswords")
    write(quick, ROWS)
    quick.do(DeleteUser(identity=quick.admin(), user_id=who.user.id, content="remove"))
    quick.store.settle(5.0)
    assert log_size(quick) == 0


def test_few_writes_start_no_os_thread(ledger: Ledger, folding: list[tuple[str, checkpoints.Folded]]) -> None:
    """Nor does the writer fold anything."""
    write(ledger, 3)
    assert ledger.store._checkpoints._os_thread is None
    assert folding == []


def test_closing_ends_the_os_thread_and_leaves_no_log(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "experience.db", checkpoint_rows=ROWS)
    write(ledger, ROWS)
    os_thread = ledger.store._checkpoints._os_thread
    assert os_thread is not None
    ledger.close()
    assert not os_thread.is_alive()
    assert not Path(f"{ledger.path}-wal").exists()


def test_closing_waits_for_a_checkpoint_that_has_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    has_begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> checkpoints.Folded:
        has_begun.set()
        may_end.wait(30)
        ended.set()
        return fold(connection)

    fold = checkpoints.fold
    monkeypatch.setattr(checkpoints, "fold", slow)
    ledger = Ledger(tmp_path / "experience.db", checkpoint_rows=1)
    write(ledger, 1)
    assert has_begun.wait(30)
    os_thread = ledger.store._checkpoints._os_thread
    assert os_thread is not None
    wait = os_thread.join
    monkeypatch.setattr(os_thread, "join", lambda: (may_end.set(), wait()))
    try:
        ledger.close()
        assert ended.is_set()
    finally:
        may_end.set()


def test_a_checkpoint_that_fails_is_logged_and_tried_again(
    quick: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: set[str] = set()

    def fails(connection: sqlite3.Connection) -> checkpoints.Folded:
        tried.add(threading.current_thread().name)
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "fold", fails)
        write(quick, ROWS, then=lambda: rest(quick))
    assert "could not be folded" in caplog.text
    assert tried == {"checkpoints"}, "the writer has nothing to end"
    write(quick, ROWS, then=lambda: rest(quick))
    os_thread = quick.store._checkpoints._os_thread
    assert os_thread is not None
    assert os_thread.is_alive()


def test_rows_are_counted_since_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = SimpleNamespace(total_changes=0)
    database: Any = SimpleNamespace(connection=lambda: connection)
    checkpointing = checkpoints.Checkpoints(database, options(tmp_path / "a.db", checkpoint_rows=10))
    woken: list[int] = []
    monkeypatch.setattr(checkpointing, "_wake", lambda: woken.append(connection.total_changes))
    for changed in (0, 9, 10, 10, 19, 20, 19, 28, 29):  # less than before: a new connection
        connection.total_changes = changed
        checkpointing.look()
    assert woken == [10, 20, 19, 29]


@pytest.mark.parametrize(("pages", "done", "may_be_ended"), [(10, 10, True), (9, 9, False), (11, 10, False)])
def test_the_writer_ends_a_long_log_that_is_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int, done: int, may_be_ended: bool
) -> None:
    ledger = Ledger(tmp_path / "experience.db", checkpoint_rows=1, wal_pages=10, synchronous="NORMAL")
    synchronous: list[int] = []

    def folded(connection: sqlite3.Connection) -> checkpoints.Folded:
        synchronous.append(connection.execute("PRAGMA synchronous").fetchone()[0])
        return checkpoints.Folded(pages, done, was_busy=False)

    monkeypatch.setattr(checkpoints, "fold", folded)
    write(ledger, 1)
    rest(ledger)
    assert ledger.store._checkpoints._is_nearly_done is may_be_ended
    assert synchronous == [1], "NORMAL, as the connection that writes"
    ledger.close()
