"""Bytes of files that came since the start are copied beside the backups, whatever key their rows have."""

from pathlib import Path

import pytest

from actors.auth.identity import Identity
from actors.resources.files.blobs import ForgetBlobs, TakeBlobs
from actors.resources.files.commands import DeleteFile
from storage.backups.continuous.files import NewFiles
from storage.database import DatabaseProblem
from tests.builders import FAR_FUTURE, Ledger
from tests.storage.resources.files.shelf import Shelf, digest


@pytest.fixture
def shelf(ledger: Ledger) -> Shelf:
    return Shelf(ledger)


class Watched:
    """Looks at the blobs when it is told to, and keeps which it would copy."""

    def __init__(self, ledger: Ledger) -> None:
        self.copied: list[str] = []
        self.files = NewFiles(ledger.path, lambda named: self.copied.extend(digest for digest, _ in named))
        self.files.begin()

    def look(self) -> list[str]:
        self.copied = []
        self.files.step()
        return self.copied


def forget(ledger: Ledger, who: Identity, file_id: str) -> None:
    """The file is deleted, and a day later its bytes."""
    ledger.do(DeleteFile(identity=who, file_id=file_id))
    gone = ledger.do(TakeBlobs(before=FAR_FUTURE * 1000)).result
    ledger.do(ForgetBlobs(gone))


def test_each_once(ledger: Ledger, shelf: Shelf, ana: Identity) -> None:
    shelf.add(ana, content=b"before")
    watched = Watched(ledger)
    assert watched.look() == []
    shelf.add(ana, content=b"one")
    shelf.add(ana, content=b"two")
    assert watched.look() == [digest(b"one"), digest(b"two")]
    shelf.add(ana, content=b"two")
    assert watched.look() == []


def test_one_that_has_the_key_of_one_that_is_gone(ledger: Ledger, shelf: Shelf, ana: Identity) -> None:
    shelf.add(ana, content=b"stays")
    last = shelf.add(ana, content=b"goes")
    watched = Watched(ledger)
    forget(ledger, ana, last.id)
    assert watched.look() == []
    shelf.add(ana, content=b"comes")
    assert watched.look() == [digest(b"comes")]


def test_bytes_that_nothing_named_when_the_backup_was_made(ledger: Ledger, shelf: Shelf, ana: Identity) -> None:
    """A backup copies what its database refers to; the row of other bytes is there for a day."""
    file = shelf.add(ana, content=b"again")
    shelf.add(ana, content=b"newer")
    ledger.do(DeleteFile(identity=ana, file_id=file.id))
    watched = Watched(ledger)
    assert watched.look() == []
    shelf.add(ana, content=b"again")
    assert watched.look() == [digest(b"again")]


def test_the_newest_of_which_nothing_named_then(ledger: Ledger, shelf: Shelf, ana: Identity) -> None:
    file = shelf.add(ana, content=b"again")
    ledger.do(DeleteFile(identity=ana, file_id=file.id))
    watched = Watched(ledger)
    shelf.add(ana, content=b"again")
    assert watched.look() == [digest(b"again")]


def test_one_that_could_not_start_may_be_stopped(tmp_path: Path) -> None:
    """What kept it from starting is told, not that it never ran."""
    files = NewFiles(tmp_path / "none.db", lambda _: None)
    with pytest.raises(DatabaseProblem):
        files.start()
    files.stop()
