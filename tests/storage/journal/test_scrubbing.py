"""What was deleted leaves the write-ahead log, too, a minute later."""

import contextlib
import sqlite3
import time
from collections.abc import Callable

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.commands import Purge
from actors.errors import NotFound
from actors.outcomes import Done
from actors.resources.artifacts.data_sets import DeleteData, ReplaceData
from actors.resources.comments.comment import DeleteComment
from actors.resources.files.commands import DeleteFile
from actors.resources.files.processing import RecordPreview
from actors.resources.messages import DeleteMessage
from actors.resources.threads import Thread
from actors.resources.users import EraseContent
from storage.journal.scrubbing import Scrubbing
from tests.builders import Ledger
from tests.storage.resources.artifacts.desk import Desk
from tests.storage.resources.files.shelf import Shelf

WORD = "zebedeequux"
Write = Callable[[Ledger, Identity, Thread], object]
"""Writes the word, and answers the command that deletes it."""


def message(ledger: Ledger, who: Identity, thread: Thread) -> DeleteMessage:
    return DeleteMessage(identity=who, thread_id=thread.id, message_id=ledger.post(who, thread, WORD).id)


def comment(ledger: Ledger, who: Identity, thread: Thread) -> DeleteComment:
    desk = Desk(ledger)
    artifact = desk.create(who, thread)
    made = desk.comment(who, artifact, WORD)
    return DeleteComment(identity=who, thread_id=thread.id, artifact_id=artifact.id, comment_id=made.id)


def data_set(ledger: Ledger, who: Identity, thread: Thread) -> DeleteData:
    where = {"identity": who, "thread_id": thread.id, "artifact_id": Desk(ledger).create(who, thread).id, "name": "d"}
    ledger.do(ReplaceData(**where, columns=("a",), rows=(f'["{WORD}"]',)))  # type: ignore[arg-type]
    return DeleteData(**where)  # type: ignore[arg-type]


def file(ledger: Ledger, who: Identity, thread: Thread) -> DeleteFile:
    made = Shelf(ledger).add(who, thread, preview="due")
    ledger.do(RecordPreview(made.id, 1, "done", text=WORD))
    return DeleteFile(identity=who, file_id=made.id)


@pytest.mark.parametrize("write", [message, comment, data_set, file])
def test_it_is_emptied(ledger: Ledger, ana: Identity, write: Write) -> None:
    log = ledger.path.with_name(f"{ledger.path.name}-wal")
    ledger.do(write(ledger, ana, ledger.thread(ana)))
    assert WORD.encode() in log.read_bytes()
    scrubbing: Scrubbing = ledger.store._scrubbing
    scrubbing._clock = lambda: time.monotonic() + limits.SCRUB_SECONDS
    ledger.store.settle(5)
    assert WORD.encode() not in log.read_bytes()


@pytest.mark.timeout(20)
def test_it_does_not_wait_for_a_reader(ledger: Ledger, ana: Identity) -> None:
    """However long the connection that writes may wait for others."""
    thread = ledger.thread(ana)
    connection = ledger.store.database.connection()
    connection.execute("PRAGMA busy_timeout = 60000")
    scrubbing: Scrubbing = ledger.store._scrubbing
    with contextlib.closing(sqlite3.connect(ledger.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM event").fetchone()
        ledger.do(message(ledger, ana, thread))
        scrubbing._clock = lambda: time.monotonic() + limits.SCRUB_SECONDS
        scrubbing.step()
        assert scrubbing.is_due
    scrubbing.step()
    assert not scrubbing.is_due
    assert connection.execute("PRAGMA busy_timeout").fetchone() == (60_000,)


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_how_soon_it_is_emptied(ledger: Ledger) -> None:
    clock, taken = Clock(), Done(1)
    scrubbing = Scrubbing(ledger.store.database, ledger.store._checkpoints, clock)
    batch = [Purge(), Purge(), Purge(), "another command"]
    scrubbing.note(batch, [Done(0), Done(()), NotFound("message", "m"), taken])
    clock.now += 2 * limits.SCRUB_SECONDS
    assert not scrubbing.is_due, "nothing was taken away"
    scrubbing.note([Purge()], [taken])
    assert not scrubbing.is_due
    clock.now += limits.SCRUB_SECONDS - 1
    assert not scrubbing.is_due
    scrubbing.note([Purge()], [taken])
    clock.now += 1
    assert scrubbing.is_due, "a minute after the first"
    scrubbing.step()
    assert not scrubbing.is_due
    scrubbing.note([Purge(), EraseContent()], [taken, taken])
    assert scrubbing.is_due, "an erasure is not to wait"
    scrubbing.note([Purge()], [taken])
    assert scrubbing.is_due
