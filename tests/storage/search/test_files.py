"""Files among what a search finds: by name and text, in the thread where they are now."""

import itertools
from typing import Any

import pytest

from actors.auth.identity import Identity
from actors.resources.files.commands import DeleteFile, MoveFile, RestoreVersion, UpdateFile
from actors.resources.files.file import File
from actors.resources.files.processing import RecordPreview, RecordScan
from actors.resources.members import AddMember, RemoveMember
from actors.resources.threads import DeleteThread, Thread
from storage.maintenance import integrity
from tests.builders import Ledger
from tests.storage.resources.files.shelf import Shelf
from tests.storage.search.asking import marked, search


@pytest.fixture
def thread(ledger: Ledger, ana: Identity) -> Thread:
    return ledger.thread(ana, title="plans")


@pytest.fixture(params=["aside", "indexed", "half"], autouse=True)
def settle(request: pytest.FixtureRequest, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every search here is answered the same, whatever of it the index knows already; and its rows stay in order."""
    turns = itertools.count()

    def do_then(*args: Any, **kwargs: Any) -> Any:
        done = Ledger.do(ledger, *args, **kwargs)
        if request.param == "indexed" or (request.param == "half" and next(turns) % 2):
            ledger.index()
        return done

    monkeypatch.setattr(ledger, "do", do_then)


def names(ledger: Ledger, who: Identity, text: str | None = None, **more: Any) -> list[str]:
    return [marked(hit).partition("\n")[0] for hit in search(ledger, who, text, kind="file", **more).hits]


def extract(ledger: Ledger, file: File, text: str, number: int = 1) -> None:
    ledger.do(RecordPreview(file.id, number, "done", text=text))


def test_a_file_is_found_by_its_name_and_by_its_text(
    ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread
) -> None:
    file = shelf.add(ana, thread, name="Größe.pdf")
    extract(ledger, file, "Der Jahresbericht für 東京都")
    ledger.post(ana, thread, "The jahresbericht is here")
    (by_name,) = search(ledger, ana, "grosse").hits
    assert (by_name.kind, by_name.id, by_name.message, by_name.thread_id) == ("file", file.id, None, thread.id)
    assert marked(by_name) == "[Größe].pdf\nDer Jahresbericht für 東京都"
    assert sorted(hit.kind for hit in search(ledger, ana, "jahresbericht").hits) == ["file", "message"]
    assert marked(search(ledger, ana, "東京").hits[0]) == "Größe.pdf\nDer Jahresbericht für [東京]都"
    assert names(ledger, ana, "jahresbericht -größe") == []


def test_only_members_find_it_and_only_as_long_as_they_are(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    shelf.add(ana, thread, name="needle.txt")
    assert names(ledger, bo, "needle") == []
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, role="VIEWER"))
    assert names(ledger, bo, "needle") == ["[needle].txt"]
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    assert names(ledger, bo, "needle") == []
    assert names(ledger, ledger.user("root", role="ADMIN"), "needle", everything=True) == ["[needle].txt"]


def test_a_file_outside_threads_is_not_among_messages(
    ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity, thread: Thread
) -> None:
    file = shelf.add(ana, name="needle.txt")
    assert names(ledger, ana, "needle") == []
    ledger.do(MoveFile(identity=ana, file_id=file.id, thread_id=thread.id))
    assert names(ledger, ana, "needle") == ["[needle].txt"]
    other = ledger.thread(ana, bo)
    ledger.do(MoveFile(identity=ana, file_id=file.id, thread_id=other.id))
    assert names(ledger, ana, "needle", thread_id=thread.id) == []
    assert names(ledger, bo, "needle", thread_id=other.id) == ["[needle].txt"]
    ledger.do(MoveFile(identity=ana, file_id=file.id, thread_id=thread.id))
    assert names(ledger, ana, "needle") == ["[needle].txt"]
    ledger.do(MoveFile(identity=ana, file_id=file.id, thread_id=None))
    assert names(ledger, ana, "needle") == []


def test_changes_are_found_at_once_and_what_was_before_is_not(
    ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread
) -> None:
    file = shelf.add(ana, thread, name="first.txt")
    extract(ledger, file, "old words")
    ledger.do(UpdateFile(identity=ana, file_id=file.id, name="second.txt"))
    assert (names(ledger, ana, "first"), names(ledger, ana, "second")) == ([], ["[second].txt"])
    shelf.add(ana, content=b"other", file_id=file.id)
    assert names(ledger, ana, "old") == []
    extract(ledger, file, "new words", 2)
    assert len(names(ledger, ana, "new")) == 1
    ledger.do(RestoreVersion(identity=ana, file_id=file.id, number=1))
    assert names(ledger, ana, "new") == []
    extract(ledger, file, "old words", 3)
    assert len(names(ledger, ana, "old")) == 1
    ledger.do(RecordScan(file.id, 3, "found", "Eicar"))
    assert names(ledger, ana, "old") == []
    ledger.do(DeleteFile(identity=ana, file_id=file.id))
    assert names(ledger, ana, "second") == []
    assert [found for _, found in integrity.check(ledger.reader) if found] == []


def test_files_of_a_deleted_thread_are_gone(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    shelf.add(ana, thread, name="needle.txt")
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    assert names(ledger, ana, "needle") == []


def test_conditions_hold_for_files(ledger: Ledger, shelf: Shelf, ana: Identity, bo: Identity) -> None:
    thread = ledger.thread(ana, bo)
    shelf.add(ana, thread, name="of ana.txt")
    shelf.add(bo, thread, name="of bo.txt")
    ledger.post(ana, thread, "of none")
    assert names(ledger, ana, "of", author_id=bo.user.id) == ["[of] bo.txt"]
    assert [hit.kind for hit in search(ledger, ana, "of", type="USER").hits] == ["message"]
    assert names(ledger, ana, "of", after=0, sort="newest") == ["[of] bo.txt", "[of] ana.txt"]
    assert names(ledger, ana, "of", before=1) == []


def test_pages_have_each_match_once(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    for number in range(7):
        shelf.add(ana, thread, name=f"needle {number}.txt")
        ledger.post(ana, thread, f"needle {number}")
    for sort, count in (("relevance", 14), ("newest", 19)):
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = search(ledger, ana, "needle", limit=3, cursor=cursor, sort=sort)
            found += [f"{hit.kind} {hit.id}" for hit in page.hits]
            shelf.add(ana, thread, name=f"needle later {len(found)}.txt")
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len(found) == len(set(found)) == count
