"""What a change of a file does to its record, its parts and the logs; other files stay as they are."""

from typing import Any

import pytest

from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed
from actors.outcomes import Done
from actors.resources.files.commands import DeleteFile, MoveFile, RestoreVersion, UpdateFile
from actors.resources.files.file import File, FilePreview
from actors.resources.files.processing import RecordPreview, RecordScan
from actors.resources.files.retention import PruneFiles, Retention
from actors.resources.messages import DeleteMessage
from actors.resources.threads import DeleteThread, Thread, UpdateThread
from storage.journal import transaction
from storage.resources.files import writing
from storage.resources.files.retention import page as prunable
from tests.builders import Ledger
from tests.storage.resources.files.shelf import Shelf, digest
from tests.storage.test_integrity import findings

NOW = 1_900_000_000_000
PARTS = ("file_version", "file_preview", "message_file", "upload")


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


def show(ledger: Ledger, file: File, number: int) -> None:
    """Give one of its versions two previews."""
    made = tuple(
        FilePreview(name, "image/webp", digest(f"{name}{number}{file.id}".encode()), 5, 10, 20)
        for name in ("small", "large")
    )  # fmt: skip
    ledger.do(RecordPreview(file.id, number, "done", made, text="quarterly figures"))


def rows_of(ledger: Ledger, file: File) -> dict[str, list[Any]]:
    parts = {part: ledger.sql(f"SELECT * FROM {part} WHERE file_id = ? ORDER BY 1, 2, 3", file.key) for part in PARTS}
    return {
        "file": ledger.sql("SELECT * FROM file WHERE id = ?", file.key),
        "text": ledger.sql("SELECT name, text, original FROM file_text WHERE rowid = ?", file.key),
        **parts,
    }


@pytest.fixture
def other(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> File:
    """In the same thread, with two versions, previews, an upload on its way, and a message that shows it."""
    file = shelf.add(ana, thread, b"other", name="other.txt", preview="due")
    show(ledger, file, 1)
    shelf.add(ana, file_id=file.id, content=b"other again", preview="due")
    show(ledger, file, 2)
    shelf.begin(ana, name=None, file_id=file.id, length=10)
    ledger.post(ana, thread, "look", file_ids=(file.id,))
    return file


@pytest.fixture
def file(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> File:
    """With two versions, each with previews, shown by a message."""
    file = shelf.add(ana, thread, b"first", preview="due", metadata='{"a":1}')
    show(ledger, file, 1)
    shelf.add(ana, file_id=file.id, content=b"second one", media_type="text/csv", preview="due")
    show(ledger, file, 2)
    ledger.post(ana, thread, "look", file_ids=(file.id,))
    return shelf.get(ana, file)


def events(done: Done[Any]) -> list[tuple[str, str, str]]:
    """(type, thread, status of the file)."""
    return [(event.type, event.thread_id, event.data.status) for event in done.events]  # type: ignore[attr-defined]


def test_an_update_changes_what_it_names(
    ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread, other: File, file: File
) -> None:
    before = rows_of(ledger, other)
    done = ledger.do(UpdateFile(identity=ana, file_id=file.id, metadata='{"a":2}', if_version=file.revision))
    assert done.result == shelf.get(ana, file)
    assert (done.result.name, done.result.metadata, done.result.revision) == (
        "notes.txt", '{"a":2}', file.revision + 1
    )  # fmt: skip
    assert shelf.list(ana, name="notes") == ["notes.txt"]
    renamed = ledger.do(UpdateFile(identity=ana, file_id=file.id, name="plan.txt"))
    assert (renamed.result.name, renamed.result.metadata) == ("plan.txt", '{"a":2}')
    assert (shelf.list(ana, name="plan"), shelf.list(ana, name="notes")) == (["plan.txt"], [])
    assert events(done) == events(renamed) == [("file.updated", thread.id, "ready")]
    assert rows_of(ledger, other) == before


def test_a_restored_version_is_all_that_the_old_one_was(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread, other: File, file: File,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    before, was = rows_of(ledger, other), shelf.get(ana, file)
    done = ledger.do(RestoreVersion(identity=ana, file_id=file.id, number=1, if_version=was.revision))
    versions = """SELECT blob_id, size, media_type, scan, details, placeholder, trusted, charset FROM file_version
        WHERE file_id = ? ORDER BY number"""
    first, _, third = ledger.sql(versions, file.key)
    assert third == first
    made = "SELECT author_id, created_at, preview FROM file_version WHERE file_id = ? AND number = 3"
    assert ledger.sql(made, file.key) == [(ana.user.key, NOW, "due")]
    previews = (
        "SELECT name, blob_id, size, media_type, width, height FROM file_preview WHERE file_id = ? AND number = ?"
    )
    assert ledger.sql(previews, file.key, 3) == ledger.sql(previews, file.key, 1)
    assert len(ledger.sql(previews, file.key, 3)) == 2
    assert done.result == shelf.get(ana, file)
    assert (done.result.status, done.result.reason, done.result.revision) == ("ready", None, was.revision + 1)
    assert events(done) == [("file.updated", thread.id, "ready")]
    assert shelf.list(ana, text="quarterly") == ["other.txt"], "its text is extracted anew"
    assert rows_of(ledger, other) == before
    assert findings(ledger.path) == {}


@pytest.mark.parametrize(("scan", "preview", "status", "then"), [
    ("skipped", "none", "ready", "none"), ("due", "failed", "scanning", "failed"),
])  # fmt: skip
def test_a_restored_version_is_scanned_and_shown_where_the_old_one_was(
    ledger: Ledger, shelf: Shelf, ana: Identity, scan: str, preview: str, status: str, then: str
) -> None:
    file = shelf.add(ana, content=b"first", scan=scan, preview="none")
    ledger.sql("UPDATE file_version SET preview = ?", preview)
    shelf.add(ana, file_id=file.id, content=b"second")
    assert ledger.do(RestoreVersion(identity=ana, file_id=file.id, number=1)).result.status == status
    assert ledger.one("SELECT preview FROM file_version WHERE number = 3") == then


def test_a_restored_version_that_was_quarantined_still_is(ledger: Ledger, shelf: Shelf, ana: Identity) -> None:
    file = shelf.add(ana, content=b"first", scan="due")
    ledger.do(RecordScan(file.id, 1, "found", "Eicar-Test"))
    shelf.add(ana, file_id=file.id, content=b"second")
    assert ledger.do(RestoreVersion(identity=ana, file_id=file.id, number=1)).result.status == "quarantined"


def test_who_has_not_seen_the_newest_version_restores_none(
    ledger: Ledger, ana: Identity, file: File, other: File
) -> None:
    before = ledger.dump()
    with pytest.raises(PreconditionFailed):
        ledger.do(RestoreVersion(identity=ana, file_id=file.id, number=1, if_version=file.revision - 1))
    with pytest.raises(NotFound, match="version"):
        ledger.do(RestoreVersion(identity=ana, file_id=file.id, number=3))
    assert ledger.dump() == before


def test_a_move_is_told_to_both_threads(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread, other: File, file: File
) -> None:
    there, size = ledger.thread(ana), len(b"first" + b"second one")
    before, used = rows_of(ledger, other), shelf.used("thread")
    done = ledger.do(MoveFile(identity=ana, file_id=file.id, thread_id=there.id))
    assert events(done) == [("file.deleted", thread.id, "deleted"), ("file.attached", there.id, "ready")]
    assert done.result == shelf.get(ana, file)
    assert done.result.thread_id == there.id
    again = ledger.do(MoveFile(identity=ana, file_id=file.id, thread_id=there.id))
    assert (again.result, again.events) == (done.result, ())
    assert shelf.used("thread") == used
    out = ledger.do(MoveFile(identity=ana, file_id=file.id, thread_id=None))
    assert events(out) == [("file.deleted", there.id, "deleted")]
    assert out.result.thread_id is None
    assert ledger.do(MoveFile(identity=ana, file_id=file.id, thread_id=None)).events == ()
    assert shelf.used("thread") == used - size
    assert ledger.sql("SELECT position FROM file WHERE id = ?", file.key) == [(None,)]
    assert rows_of(ledger, other) == before
    assert findings(ledger.path) == {}


def test_a_file_moves_where_its_owner_may_write(ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity) -> None:
    file, seen, closed = shelf.add(ana), ledger.thread(bo, (ana, "VIEWER")), ledger.thread(ana)
    ledger.do(UpdateThread(identity=ana, thread_id=closed.id, status="CLOSED"))
    for thread, error in ((seen, Forbidden), (closed, Conflict), (ledger.thread(bo), NotFound)):
        with pytest.raises(error):
            ledger.do(MoveFile(identity=ana, file_id=file.id, thread_id=thread.id))
        with pytest.raises(error):
            shelf.record(ana, thread)


def test_a_deleted_file_is_a_tombstone(
    ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread, other: File, file: File,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before, used = rows_of(ledger, other), shelf.used("server")
    ledger.post(ana, thread, "both", file_ids=(other.id, file.id))
    before["message_file"] = rows_of(ledger, other)["message_file"]
    shelf.begin(ana, name=None, file_id=file.id, length=10)
    with pytest.raises(PreconditionFailed):
        ledger.do(DeleteFile(identity=ana, file_id=file.id, if_version=file.revision - 1))
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    done = ledger.do(DeleteFile(identity=ana, file_id=file.id, if_version=file.revision))
    assert done.result.id == file.id
    assert events(done) == [("file.deleted", thread.id, "deleted")]
    columns = "status, name, metadata, declared_type, reason, version, deleted_at, thread_id IS NOT NULL"
    assert ledger.sql(f"SELECT {columns} FROM file WHERE id = ?", file.key) == [
        ("deleted", "", "{}", None, None, 0, NOW, 1)
    ]  # fmt: skip
    gone = rows_of(ledger, file)
    assert [gone[part] for part in ("text", *PARTS)] == [[]] * 5
    assert shelf.used("server") == used - len(b"first" + b"second one")
    assert rows_of(ledger, other) == before
    assert findings(ledger.path) == {}


def test_an_old_version_goes_with_its_previews_alone(
    ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread, file: File, other: File
) -> None:
    used, theirs = shelf.used("user"), rows_of(ledger, other)
    rule = Retention(versions=1)
    found = tuple(each for each in ledger.ask(prunable, rule, 2**45).found if each.file_id == file.id)
    assert [each.number for each in found] == [1]
    ledger.do(PruneFiles(rule, found))
    numbers = "SELECT DISTINCT number FROM {} WHERE file_id = ?"
    assert [ledger.sql(numbers.format(part), file.key) for part in ("file_version", "file_preview")] == [[(2,)]] * 2
    assert shelf.used("user") == shelf.used("thread") == used - len(b"first")
    assert rows_of(ledger, other) == theirs
    assert findings(ledger.path) == {}


def test_with_a_deleted_thread_its_files_go_in_bounded_steps(
    ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    elsewhere = shelf.add(ana, ledger.thread(ana), name="elsewhere")
    for _ in range(2):
        shelf.add(ana, thread, name="made there")
    came = shelf.add(ana, name="came")
    ledger.do(MoveFile(identity=ana, file_id=came.id, thread_id=thread.id))
    kept = rows_of(ledger, elsewhere)
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    (thread_key,) = ledger.sql("SELECT id FROM thread WHERE uid = ?", thread.id)[0]
    with ledger.store.database.atomic("IMMEDIATE"):
        tx = ledger.store._begin()
        assert writing.purge_thread(tx, thread_key, 2) == 2
        assert ledger.sql("SELECT id FROM file ORDER BY id") == [(elsewhere.key,), (came.key,)]
        assert writing.purge_thread(tx, thread_key, 2) == 1
    assert rows_of(ledger, came)["file"][0][2:8] == (ana.user.key, None, "", None, "deleted", None)
    assert ledger.one("SELECT deleted_at FROM file WHERE id = ?", came.key) == NOW
    assert rows_of(ledger, elsewhere) == kept


def test_a_deleted_message_shows_no_files_and_others_still_do(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread, other: File
) -> None:
    theirs, shown = shelf.add(bo, thread, name="theirs"), "SELECT message_id, file_id FROM message_file ORDER BY 1, 2"
    message = ledger.post(ana, thread, "x", file_ids=(theirs.id, other.id))
    still = ledger.post(bo, thread, "y", file_ids=(theirs.id,))
    before = ledger.sql(f"SELECT * FROM ({shown}) WHERE message_id <> ?", message.key)
    done = ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=message.id))
    assert [event.type for event in done.events] == ["message.deleted"]
    assert ledger.sql(shown) == before
    assert (still.key, theirs.key) in before
    ledger.do(DeleteMessage(identity=bo, thread_id=thread.id, message_id=still.id))
    assert shelf.list(ana, thread_id=thread.id) == ["other.txt"], "nothing shows it, and it was their own"
