"""Files in the store: who sees and changes them, what messages show, what is counted, and what is left of them."""

import time
from collections.abc import Iterator

import pytest

from actors.auth.identity import Identity
from actors.commands import Purge
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed, QuotaExceeded, Unavailable, XpError
from actors.identifiers import new_id
from actors.resources.files.blobs import ForgetBlobs, TakeBlobs
from actors.resources.files.commands import DeleteFile, MoveFile, RestoreVersion, UpdateFile
from actors.resources.files.file import FilePreview, Quotas
from actors.resources.files.processing import ListDuePreviews, ListDueScans, RecordPreview, RecordScan
from actors.resources.files.uploads import AbandonUpload, EndForms, ExpireUploads
from actors.resources.members import RemoveMember
from actors.resources.messages import DeleteMessage, EditMessage
from actors.resources.threads import DeleteThread, Thread
from storage.journal.store import JournalStore
from storage.readers.answers import answer
from storage.resources.log import reading as log
from tests.builders import Ledger, once, post
from tests.storage.resources.files.shelf import Shelf, digest
from tests.storage.test_integrity import findings


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


def types(ledger: Ledger, thread: Thread) -> list[str]:
    query = "SELECT e.type FROM event AS e JOIN thread AS t ON t.id = e.thread_id WHERE t.uid = ? ORDER BY e.position"
    return [row[0] for row in ledger.sql(query, thread.id)]


def replayed(ledger: Ledger, who: Identity, thread: Thread) -> list[tuple[str, str, str]]:
    """(kind, name, status) of what is told of files."""
    page = ledger.ask(log.after_offset, who, thread.id, 0, limit=100)
    return [(e.type, e.data.name, e.data.status) for e in page.events if e.type.startswith("file.")]  # type: ignore[attr-defined]


def test_a_record_waits_for_its_bytes(shelf: Shelf, ana: Identity) -> None:
    file = shelf.record(ana, media_type="text/plain")
    assert (file.status, file.version, file.declared_type) == ("pending", None, "text/plain")
    after = shelf.add(ana, file_id=file.id, content=b"hello")
    assert after.version is not None
    assert (after.id, after.status, after.version.number, after.version.size) == (file.id, "ready", 1, 5)
    assert after.version.digest == digest(b"hello")


def test_outside_of_threads_only_the_owner_sees_a_file(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity
) -> None:
    file = shelf.add(ana)
    with pytest.raises(NotFound):
        shelf.get(bo, file)
    assert shelf.get(ledger.admin("root"), file).id == file.id
    assert shelf.list(bo) == []


def test_in_a_thread_its_members_see_it_as_long_as_they_are_members(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    file = shelf.add(ana, thread)
    assert shelf.get(bo, file).name == "notes.txt"
    assert shelf.list(bo, thread_id=thread.id) == shelf.list(bo) == ["notes.txt"]
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    with pytest.raises(NotFound):
        shelf.get(bo, file)
    assert shelf.list(bo) == []


def test_the_audit_log_names_a_file_that_another_than_its_owner_deletes(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    for who in (bo, ana):
        file = shelf.add(bo, thread)
        ledger.do(DeleteFile(identity=who, file_id=file.id))
    noted = ledger.sql("SELECT actor_id, target_kind, target_id FROM audit WHERE action = 'delete_file'")
    assert noted == [(ana.user.id, "file", file.id)]


def test_an_owner_who_has_left_the_thread_has_left_the_file(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    file = shelf.add(bo, thread)
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    for command in (
        UpdateFile(identity=bo, file_id=file.id, name="x"),
        DeleteFile(identity=bo, file_id=file.id),
        RestoreVersion(identity=bo, file_id=file.id, number=1),
    ):
        with pytest.raises(NotFound):
            ledger.do(command)


def test_who_may_change_a_file(ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread) -> None:
    mine, theirs = shelf.add(ana, thread), shelf.add(bo, thread)
    with pytest.raises(Forbidden):
        ledger.do(UpdateFile(identity=bo, file_id=mine.id, name="x"))
    assert ledger.do(UpdateFile(identity=ana, file_id=theirs.id, name="x")).result.name == "x"  # type: ignore[attr-defined]
    viewer = ledger.user("vi")
    other = ledger.thread(ana, (viewer, "VIEWER"))
    with pytest.raises(Forbidden):
        shelf.record(viewer, other)


def test_each_change_is_in_the_log_of_its_thread(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    file = shelf.add(ana, thread)
    ledger.do(UpdateFile(identity=ana, file_id=file.id, name="other.txt"))
    ledger.do(DeleteFile(identity=ana, file_id=file.id))
    assert types(ledger, thread)[-4:] == ["file.created", "file.updated", "file.updated", "file.deleted"]
    assert replayed(ledger, ana, thread) == [
        ("file.created", "", "deleted"), ("file.updated", "", "deleted"), ("file.updated", "", "deleted"),
        ("file.deleted", "", "deleted"),
    ]  # fmt: skip


def test_what_changes_nothing_writes_nothing(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    file = shelf.add(ana, thread)
    before = ledger.dump()
    ledger.do(UpdateFile(identity=ana, file_id=file.id, name=file.name))
    assert ledger.dump() == before
    for command in (
        UpdateFile(identity=ana, file_id=file.id, name="x", if_version=99),
        DeleteFile(identity=ana, file_id=file.id, if_version=99),
    ):
        with pytest.raises(PreconditionFailed):
            ledger.do(command)
    assert ledger.dump() == before


def test_versions_and_their_restoration(ledger: Ledger, shelf: Shelf, ana: Identity) -> None:
    file = shelf.add(ana, content=b"one")
    shelf.add(ana, file_id=file.id, content=b"second")
    restored = ledger.do(RestoreVersion(identity=ana, file_id=file.id, number=1)).result
    assert (restored.version.number, restored.version.digest) == (3, digest(b"one"))  # type: ignore[attr-defined]
    assert shelf.references() == {digest(b"one"): 2, digest(b"second"): 1}
    assert shelf.used("user") == shelf.used("server") == 3 + 6 + 3
    with pytest.raises(NotFound):
        ledger.do(RestoreVersion(identity=ana, file_id=file.id, number=9))


def test_the_same_bytes_are_one_blob_and_go_with_the_last_that_names_them(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    first, second = shelf.add(ana), shelf.add(bo, thread)
    assert shelf.references() == {digest(b"hello"): 2}
    ledger.do(DeleteFile(identity=ana, file_id=first.id))
    assert ledger.do(TakeBlobs(before=2**60)).result == ()
    ledger.do(DeleteFile(identity=bo, file_id=second.id))
    assert ledger.do(TakeBlobs(before=0)).result == (), "not before its grace is over"
    assert ledger.do(TakeBlobs(before=2**60)).result == (digest(b"hello"),)
    with pytest.raises(Unavailable):
        shelf.add(ana)  # while it is being deleted nobody may refer to it
    assert ledger.do(TakeBlobs(before=2**60)).result == (digest(b"hello"),), "a deletion that was broken off goes on"
    assert ledger.do(ForgetBlobs((digest(b"hello"),))).result == 1
    assert shelf.add(ana).status == "ready"
    assert shelf.used("thread") == 0


def test_an_upload_is_completed_once(ledger: Ledger, shelf: Shelf, ana: Identity) -> None:
    upload = shelf.begin(ana, length=5)
    first = ledger.do(shelf.completion(ana, upload)).result
    assert ledger.do(shelf.completion(ana, upload)).result == first
    assert shelf.references() == {digest(b"hello"): 1}


def test_an_upload_of_another_length_than_was_said_is_refused(ledger: Ledger, shelf: Shelf, ana: Identity) -> None:
    upload = shelf.begin(ana, length=6)
    with pytest.raises(Conflict, match="6 bytes, and 5 came"):
        ledger.do(shelf.completion(ana, upload))


def test_rights_are_asked_again_at_the_end_of_an_upload(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    upload = shelf.begin(bo, thread)
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    with pytest.raises(NotFound):
        ledger.do(shelf.completion(bo, upload))
    with pytest.raises(NotFound):
        ledger.do(shelf.completion(ana, upload))  # nobody else completes it


def test_an_upload_that_ends_without_bytes(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    lost, shown = shelf.begin(ana, thread, length=10), shelf.begin(ana, thread, length=10, expires_at=1)
    ledger.do(post(ana, thread, "see", file_ids=(shown.file_id,)))
    assert shelf.used("thread") == 20
    ledger.do(AbandonUpload(identity=ana, upload_id=lost.id))
    assert ledger.do(ExpireUploads()).result == (shown.id,)
    assert shelf.used("thread") == shelf.used("user") == 0
    with pytest.raises(NotFound):
        shelf.get(ana, lost.file_id)
    assert (shelf.get(ana, shown.file_id).status, shelf.get(ana, shown.file_id).reason) == (
        "failed", "the upload was not completed in time",
    )  # fmt: skip


def test_only_forms_end_when_a_server_starts(ledger: Ledger, shelf: Shelf, ana: Identity) -> None:
    record = shelf.record(ana)
    while time.time_ns() // 1_000_000 <= record.created_at:
        pass
    form, put = shelf.begin(ana, kind="plain", length=10), shelf.begin(ana, kind="plain", file_id=record.id)
    tus, _ = shelf.begin(ana, kind="resumable"), shelf.add(ana)
    assert ledger.do(EndForms()).result == (form.id,)
    assert ledger.do(EndForms()).result == ()
    assert shelf.used("user") == len(b"hello")
    with pytest.raises(NotFound):
        shelf.get(ana, form.file_id)
    assert [shelf.get(ana, each.file_id).status for each in (put, tus)] == ["pending", "pending"]


class Narrow(Ledger):
    """With quotas."""

    def __init__(self, ledger: Ledger, quotas: Quotas) -> None:
        self.options, self.path, self._reader = ledger.options, ledger.path, None
        ledger.close()
        self.store = JournalStore(self.options, quotas=quotas)
        self.store.open()


@pytest.fixture
def narrow(ledger: Ledger) -> Iterator[Narrow]:
    made = Narrow(ledger, Quotas(user=100, thread=50, server=120))
    yield made
    made.close()


def test_quotas_of_users_threads_and_the_server(narrow: Narrow) -> None:
    ana, bo = narrow.user("ana"), narrow.user("bo")
    thread, shelf = narrow.thread(ana, bo), Shelf(narrow)
    shelf.add(ana, thread, b"x" * 40)
    with pytest.raises(QuotaExceeded, match="The thread may have 50 bytes"):
        shelf.begin(ana, thread, length=11)
    shelf.begin(ana, length=60)
    with pytest.raises(QuotaExceeded, match="The user may have 100 bytes"):
        shelf.begin(ana, length=1)
    with pytest.raises(QuotaExceeded, match="The server may have 120 bytes"):
        shelf.begin(bo, length=21)
    unknown = shelf.begin(bo)
    with pytest.raises(QuotaExceeded):
        narrow.do(shelf.completion(bo, unknown, b"x" * 21))
    assert narrow.do(shelf.completion(bo, unknown, b"x" * 20)).result.status == "ready"  # type: ignore[attr-defined]


def test_messages_show_files_and_a_file_from_outside_joins_the_thread(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    outside, inside = shelf.add(ana, name="a.txt"), shelf.add(bo, thread, name="b.txt")
    message = ledger.do(post(ana, thread, "look", file_ids=(outside.id, inside.id))).result
    assert [file.name for file in message.files] == ["a.txt", "b.txt"]  # type: ignore[attr-defined]
    assert shelf.get(bo, outside).thread_id == thread.id
    assert types(ledger, thread)[-2:] == ["message.created", "file.attached"]
    page = ledger.ask(log.after_offset, bo, thread.id, 0, limit=100)
    told = next(event.data for event in page.events if event.type == "message.created")
    assert [file.id for file in told.files] == [outside.id, inside.id]  # type: ignore[attr-defined]
    assert shelf.used("thread") == 10


def test_a_message_shows_no_file_of_others_or_of_another_thread(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    other = ledger.thread(ana)
    strange, elsewhere = shelf.add(bo), shelf.add(ana, other)
    before = ledger.dump()
    with pytest.raises(NotFound):
        ledger.do(post(ana, thread, "look", file_ids=(strange.id,)))
    with pytest.raises(Conflict) as caught:
        ledger.do(post(ana, thread, "look", file_ids=(elsewhere.id,)))
    assert caught.value.code == "file_elsewhere"
    with pytest.raises(NotFound):
        ledger.do(post(ana, thread, "look", file_ids=(new_id(),)))
    assert ledger.dump() == before


def test_a_refused_file_refuses_its_message_alone(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    file = shelf.add(ana)
    good, bad, late = ledger.apply(
        post(ana, thread, "one", file_ids=(file.id,)), post(ana, thread, "two", file_ids=(new_id(),)),
        post(ana, thread, "three"),
    )  # fmt: skip
    assert isinstance(bad, XpError)
    assert not isinstance(good, XpError)
    assert not isinstance(late, XpError)


def test_of_two_messages_at_once_a_file_joins_the_thread_of_one(
    ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread
) -> None:
    file, there = shelf.add(ana), ledger.thread(ana)
    first, second = ledger.apply(*(post(ana, each, "look", file_ids=(file.id,)) for each in (thread, there)))
    assert not isinstance(first, XpError)
    assert isinstance(second, Conflict)
    assert second.code == "file_elsewhere"
    assert shelf.get(ana, file).thread_id == thread.id


def test_a_retried_message_shows_its_files_again(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    file = shelf.add(ana)
    command = post(ana, thread, "one", file_ids=(file.id,), once=once())
    first = ledger.do(command).result
    again = ledger.do(command)
    assert again.replayed
    assert [shown.id for shown in again.result.files] == [file.id] == [s.id for s in first.files]  # type: ignore[attr-defined]


def test_an_edit_changes_which_files_are_shown(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    first, second = shelf.add(ana, name="a"), shelf.add(ana, name="b")
    message = ledger.post(ana, thread, "x", file_ids=(first.id,))
    edit = EditMessage(identity=ana, thread_id=thread.id, message_id=message.id, file_ids=(second.id,))
    assert [file.name for file in ledger.do(edit).result.files] == ["b"]  # type: ignore[attr-defined]


def test_a_deleted_message_takes_its_files_along_that_nothing_else_shows(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    own, shared, theirs = (
        shelf.add(ana, name="own"),
        shelf.add(ana, name="shared"),
        shelf.add(bo, thread, name="theirs"),
    )
    message = ledger.post(ana, thread, "x", file_ids=(own.id, shared.id, theirs.id))
    ledger.post(bo, thread, "again", file_ids=(shared.id,))
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=message.id))
    assert sorted(shelf.list(ana, thread_id=thread.id)) == ["shared", "theirs"]
    assert types(ledger, thread)[-2:] == ["message.deleted", "file.deleted"]


def test_a_file_that_moved_is_gone_for_those_it_left(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    other, file = ledger.thread(ana), shelf.add(ana, thread)
    message = ledger.post(ana, thread, "x", file_ids=(file.id,))
    ledger.do(MoveFile(identity=ana, file_id=file.id, thread_id=other.id))
    with pytest.raises(NotFound):
        shelf.get(bo, file)
    assert {status for _, _, status in replayed(ledger, bo, thread)} == {"deleted"}
    assert {name for _, name, _ in replayed(ledger, bo, thread)} == {""}
    assert ledger.ask(_message_files, message.key) == {}
    assert shelf.used("thread") == 5


def test_a_file_that_moved_is_gone_with_its_new_thread_for_those_it_left(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    moved, other = shelf.add(ana, thread), ledger.thread(ana)
    ledger.do(MoveFile(identity=ana, file_id=moved.id, thread_id=other.id))
    shelf.add(ana, other, name="made there")
    ledger.do(DeleteThread(identity=ana, thread_id=other.id))
    purge(ledger)
    shelf.add(ana, name="the next one has another key")
    assert {each[1:] for each in replayed(ledger, bo, thread)} == {("", "deleted")}
    assert ledger.sql("SELECT uid FROM file WHERE deleted_at IS NOT NULL") == [(moved.id,)]
    assert shelf.used("thread") == 0
    assert findings(ledger.path) == {}


def test_the_log_of_a_file_that_an_earlier_release_has_removed_is_replayed(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    file = shelf.add(ana, thread)
    ledger.sql("DELETE FROM file WHERE uid = ?", file.id)
    assert {each[1:] for each in replayed(ledger, bo, thread)} == {("", "deleted")}


def test_what_is_due_in_a_deleted_thread_is_not_done(
    ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread
) -> None:
    shelf.add(ana, thread, scan="due", preview="due")
    shelf.add(ana, thread, preview="due")
    there = shelf.add(ana, scan="due"), shelf.add(ana, preview="due")
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    due = *ledger.ask(answer, ListDueScans(5)), *ledger.ask(answer, ListDuePreviews(5))
    assert [each.file_id for each in due] == [file.id for file in there], "no result of the others would be written"


def _message_files(database: object, key: int) -> object:
    from storage.resources.files import records

    return records.of_messages(database, [key])  # type: ignore[arg-type]


def test_a_verdict_that_comes_late_takes_the_file_from_everybody(
    ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread
) -> None:
    file = shelf.add(ana, thread, preview="due")
    preview = FilePreview("small", "image/webp", digest(b"p"), 1, 10, 10)
    ledger.do(RecordPreview(file.id, 1, "done", (preview,), text="quarterly figures"))
    assert shelf.get(ana, file).version.previews == (preview,)  # type: ignore[union-attr]
    assert shelf.list(ana, text="quarterly") == ["notes.txt"]
    ledger.do(RecordScan(file.id, 1, "found", "Eicar-Test"))
    found = shelf.get(ana, file)
    assert (found.status, found.reason, found.version.previews) == ("quarantined", "Eicar-Test", ())  # type: ignore[union-attr]
    assert shelf.list(ana, text="quarterly") == []
    assert types(ledger, thread)[-2:] == ["file.preview_ready", "file.updated"]
    assert shelf.references()[digest(b"p")] == 0


def test_nothing_is_given_out_before_the_scanner_has_looked(ledger: Ledger, shelf: Shelf, ana: Identity) -> None:
    file = shelf.add(ana, scan="due")
    assert file.status == "scanning"
    ledger.do(RecordScan(file.id, 1, "clean"))
    assert shelf.get(ana, file).status == "ready"


def test_filters(shelf: Shelf, ana: Identity, thread: Thread) -> None:
    shelf.add(ana, name="Photo.PNG", content=b"p" * 10, media_type="image/png")
    shelf.add(ana, thread, name="notes of the meeting.txt")
    shelf.record(ana, name="later")
    assert shelf.list(ana) == ["later", "notes of the meeting.txt", "Photo.PNG"]
    assert shelf.list(ana, media_type="image/*") == shelf.list(ana, size_from=6) == ["Photo.PNG"]
    assert shelf.list(ana, name="photo") == shelf.list(ana, text="photo") == ["Photo.PNG"]
    assert shelf.list(ana, status="pending") == ["later"]
    assert shelf.list(ana, text="meetings") == ["notes of the meeting.txt"]
    assert shelf.list(ana, text="notes -meeting") == []
    assert shelf.list(ana, owner_id=new_id()) == []


def purge(ledger: Ledger) -> None:
    """Two hours after a thread was deleted."""
    ledger.sql("UPDATE thread SET deleted_at = deleted_at - 7200000 WHERE deleted_at IS NOT NULL")
    ledger.sql("UPDATE event SET time = time - 7200000")
    while ledger.do(Purge()).result:
        pass


def test_a_deleted_thread_gives_its_room_back(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    shelf.add(ana, thread)
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    assert shelf.list(ana) == []
    purge(ledger)
    assert shelf.references() == {digest(b"hello"): 0}
    assert shelf.used("user") == shelf.used("thread") == shelf.used("server") == 0
