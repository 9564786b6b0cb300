"""What rules let go goes, in small steps; what anything names stays."""

from collections.abc import Iterator
from typing import Any

import pytest
from peewee import ForeignKeyField

from actors.auth.identity import Identity
from actors.identifiers import new_id
from actors.resources.files.blobs import TakeBlobs
from actors.resources.files.commands import DeleteFile
from actors.resources.files.file import FilePreview
from actors.resources.files.processing import RecordPreview
from actors.resources.files.retention import (
    START,
    ListPrunable,
    NoteSurplus,
    Prunable,
    Pruned,
    PruneFiles,
    Retention,
)
from actors.resources.threads import DeleteThread, Thread
from storage.clock import now_ms
from storage.readers.answers import answer
from storage.resources.files import uses
from storage.resources.files.retention import DAY_MS
from storage.schema import file_models
from storage.schema.models import Base
from tests.builders import Ledger
from tests.storage.resources.files.shelf import Shelf, digest
from tests.storage.test_integrity import findings

WEEK = Retention(unused_days=7, pending_days=7)


@pytest.fixture
def thread(ledger: Ledger, ana: Identity) -> Thread:
    return ledger.thread(ana)


def age(ledger: Ledger, days: float) -> None:
    """Everything that is there becomes older."""
    ledger.sql("UPDATE file SET updated_at = updated_at - ?", int(days * DAY_MS))


def prunable(ledger: Ledger, retention: Retention, limit: int = 100) -> list[Prunable]:
    found: list[Prunable] = []
    after = START
    while True:
        page = ledger.ask(answer, ListPrunable(retention, now_ms(), after, limit))
        assert len(page.found) <= limit
        found += page.found
        if page.next is None:
            return found
        after = page.next


def prune(ledger: Ledger, retention: Retention) -> Pruned:
    pruned = ledger.do(PruneFiles(retention, tuple(prunable(ledger, retention)))).result
    assert isinstance(pruned, Pruned)
    assert findings(ledger.path) == {}
    return pruned


def names(found: list[Prunable]) -> set[tuple[str, str, int | None]]:
    return {(item.rule, item.name, item.number) for item in found}


def test_files_in_no_thread_that_nothing_shows(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    shelf.add(ana, name="unused")
    shelf.add(ana, thread, name="in a thread")
    shown = shelf.add(ana, name="shown")
    ledger.post(ana, thread, "look", file_ids=(shown.id,))
    assert prunable(ledger, WEEK) == [], "all of them are new"
    age(ledger, 8)
    shelf.add(ana, name="new")
    assert names(prunable(ledger, WEEK)) == {("unused", "unused", None)}
    assert prunable(ledger, Retention()) == [], "without a rule they stay"
    assert prune(ledger, WEEK) == Pruned(1, 0, 5)
    assert sorted(shelf.list(ana)) == ["in a thread", "new", "shown"]
    assert prune(ledger, WEEK) == Pruned()


def test_records_whose_bytes_never_came(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    shelf.record(ana, thread, name="pending")
    shown = shelf.record(ana, thread, name="shown")
    ledger.post(ana, thread, "soon", file_ids=(shown.id,))
    shelf.begin(ana, name="on its way", length=10)
    age(ledger, 8)
    assert names(prunable(ledger, Retention())) == {("pending", "pending", None)}, "a week, unless it is said otherwise"
    before = ledger.one("SELECT count(*) FROM event WHERE type = 'file.deleted'")
    assert prune(ledger, Retention()) == Pruned(1, 0, 0)
    assert ledger.one("SELECT count(*) FROM event WHERE type = 'file.deleted'") == before + 1, "its viewers see it go"


def test_old_versions(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    file = shelf.add(ana, thread, b"1")
    preview = FilePreview("small", "image/webp", digest(b"p"), 1, 10, 10)
    ledger.do(RecordPreview(file.id, 1, "done", (preview,)))
    for content in (b"22", b"333", b"4444"):
        shelf.add(ana, file_id=file.id, content=content)
    other = shelf.add(ana, thread, b"only one")
    two = Retention(versions=2)
    assert [(item.file_id, item.number, item.size) for item in prunable(ledger, two)] == [
        (file.id, 1, 1), (file.id, 2, 2),
    ]  # fmt: skip
    assert prune(ledger, two) == Pruned(0, 2, 3)
    assert shelf.references() == {
        digest(b"1"): 0, digest(b"22"): 0, digest(b"p"): 0, digest(b"333"): 1, digest(b"4444"): 1,
        digest(b"only one"): 1,
    }  # fmt: skip
    assert shelf.used("thread") == 3 + 4 + 8
    assert prune(ledger, Retention(versions=1)) == Pruned(0, 1, 3)
    assert (shelf.get(ana, file).status, shelf.get(ana, other).status) == ("ready", "ready")


def test_in_pages_nothing_is_left_out_and_nothing_comes_twice(
    ledger: Ledger, shelf: Shelf, ana: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        file = shelf.add(ana, name=f"{number}")
        for again in range(number % 3):
            shelf.add(ana, file_id=file.id, content=b"%d" % again)
    whole = prunable(ledger, Retention(versions=1))
    assert len(whole) == 2 * (1 + 2)
    for looked_at in (1, 2, 3, 100):
        monkeypatch.setattr("actors.limits.FILES_LOOKED_AT", looked_at)
        for limit in (1, 2, 100):
            assert prunable(ledger, Retention(versions=1), limit) == whole


def test_what_has_changed_since_it_was_found_stays(ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread) -> None:
    file, gone = shelf.add(ana), shelf.add(ana)
    age(ledger, 8)
    found = tuple(prunable(ledger, WEEK))
    assert len(found) == 2
    ledger.post(ana, thread, "look", file_ids=(file.id,))
    ledger.do(DeleteFile(identity=ana, file_id=gone.id))
    assert ledger.do(PruneFiles(WEEK, found)).result == Pruned()
    assert shelf.get(ana, file).status == "ready"


def test_files_of_a_deleted_thread_go_with_it_and_by_no_rule(
    ledger: Ledger, shelf: Shelf, ana: Identity, thread: Thread
) -> None:
    shelf.record(ana, thread)
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    age(ledger, 8)
    assert prunable(ledger, WEEK) == []


class Exhibit(Base):
    """A resource of another engineer, which names files."""

    file = ForeignKeyField(file_models.File, index=False)

    class Meta:
        table_name = "exhibit"


file_models.File._meta.backrefs.pop(Exhibit.file)  # only where it is asked for


@pytest.fixture
def exhibits(ledger: Ledger) -> Iterator[Ledger]:
    file_models.File._meta.backrefs[Exhibit.file] = Exhibit
    ledger.sql("CREATE TABLE exhibit (id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL REFERENCES file (id))")
    yield ledger
    file_models.File._meta.backrefs.pop(Exhibit.file)


def test_what_any_other_resource_names_stays(exhibits: Ledger, shelf: Shelf, ana: Identity) -> None:
    file = shelf.add(ana, content=b"1")
    shelf.add(ana, file_id=file.id, content=b"2")
    age(exhibits, 8)
    everything = Retention(versions=1, unused_days=7)
    exhibits.sql("INSERT INTO exhibit (file_id) VALUES (?)", file.key)
    assert prunable(exhibits, everything) == []
    exhibits.sql("DELETE FROM exhibit")
    assert names(prunable(exhibits, everything)) == {("unused", "notes.txt", None)}


def test_every_table_that_names_files_is_a_use_but_for_their_parts() -> None:
    tables: set[Any] = set(uses.references().values())
    assert file_models.MessageFile in tables
    assert not tables & set(uses.PARTS)


def test_surplus_blobs_are_collected_after_the_grace(ledger: Ledger, shelf: Shelf, ana: Identity) -> None:
    shelf.add(ana, content=b"known")
    surplus = ((digest(b"surplus"), 7), (digest(b"known"), 5))
    assert ledger.do(NoteSurplus(surplus)).result == 1
    assert shelf.references() == {digest(b"surplus"): 0, digest(b"known"): 1}
    assert ledger.do(TakeBlobs(before=0)).result == ()
    assert ledger.do(TakeBlobs(before=2**50)).result == (digest(b"surplus"),)
    assert findings(ledger.path) == {}


def test_nothing_of_a_new_id(ledger: Ledger) -> None:
    item = Prunable(new_id(), "gone", None, "unused", 5)
    assert ledger.do(PruneFiles(WEEK, (item,))).result == Pruned()
