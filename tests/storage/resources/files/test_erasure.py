"""A user who is deleted takes along what nobody else needs; what stays has a reason that is said."""

from typing import Any, Literal

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.resources.files.erasure import FileErasure, FilesKept, UserGone
from actors.resources.files.processing import RecordPreview
from actors.resources.files.uploads import ExpireUploads
from actors.resources.threads import Thread
from actors.resources.users import DeleteUser, EraseContent
from tests.builders import Ledger
from tests.storage.resources.files.shelf import Shelf, digest
from tests.storage.test_integrity import findings

Content = Literal["anonymise", "remove"]


class House:
    """Ana has files everywhere; bo is in a thread with her."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.shelf = Shelf(ledger)
        self.root, self.ana, self.bo = ledger.admin("root"), ledger.user("ana"), ledger.user("bo")
        self.thread = ledger.thread(self.bo, self.ana)
        self.private = self.add("private", 1)
        self.unshown = self.add("unshown", 2, self.thread)
        self.shown = self.add("shown", 4)
        self.shared = self.add("shared", 8)
        ledger.post(self.ana, self.thread, "mine", file_ids=(self.shown.id, self.shared.id))
        ledger.post(self.bo, self.thread, "look at hers", file_ids=(self.shared.id,))
        self.his = self.shelf.add(self.bo, self.thread, b"h" * 16, name="his")
        self.version = self.shelf.add(self.bo, file_id=self.his.id, content=b"H" * 32)
        ledger.sql("UPDATE file_version SET author_id = ? WHERE number = 2", self.ana.user.key)

    def add(self, name: str, size: int, thread: Thread | None = None) -> Any:
        return self.shelf.add(self.ana, thread, name[:1].encode() * size, name=name)

    def delete(self, content: Content, rows: int = 100) -> FileErasure:
        gone = self.ledger.do(
            DeleteUser(identity=self.root, user_id=self.ana.user.id, content=content)
        ).result  # fmt: skip
        assert isinstance(gone, UserGone)
        while self.ledger.do(EraseContent(rows=rows)).result:
            assert findings(self.ledger.path) == {}
        return gone.files

    def names(self) -> list[str]:
        return sorted(self.shelf.list(self.root, everything=True))


@pytest.fixture
def house(ledger: Ledger) -> House:
    return House(ledger)


def test_where_messages_stay_files_in_threads_stay(house: House) -> None:
    assert house.delete("anonymise") == FileErasure(
        removed=1, size=1,
        kept=(FilesKept("in_threads", 3, 2 + 4 + 8), FilesKept("versions_of_others", 1, 32)),
    )  # fmt: skip
    assert house.names() == ["his", "shared", "shown", "unshown"]
    assert house.shelf.get(house.bo, house.shared).owner.name == "Deleted user"
    assert house.shelf.references()[digest(b"p")] == 0
    assert house.shelf.used("user") == 14 + 48


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_where_messages_go_files_go_that_others_do_not_show(house: House, rows: int) -> None:
    assert house.delete("remove", rows) == FileErasure(
        removed=3, size=1 + 2 + 4,
        kept=(FilesKept("shown_by_others", 1, 8), FilesKept("versions_of_others", 1, 32)),
    )  # fmt: skip
    assert house.names() == ["his", "shared"]
    kept = house.shelf.get(house.bo, house.shared)
    assert (kept.owner.name, kept.status) == ("Deleted user", "ready")
    assert house.shelf.used("user") == 8 + 48
    assert house.ledger.one("SELECT count(*) FROM erasure") == 0


def test_who_has_no_files(ledger: Ledger) -> None:
    root, cy = ledger.admin("root"), ledger.user("cy")
    gone = ledger.do(DeleteUser(identity=root, user_id=cy.user.id)).result
    assert gone == UserGone(cy.user.id, FileErasure())
    assert ledger.do(EraseContent()).result == 0


def test_their_uploads_end(ledger: Ledger, house: House) -> None:
    upload = house.shelf.begin(house.ana, house.thread, name="on its way", length=64)
    ahead = house.shelf.begin(house.bo, house.thread, name="another's", length=128)
    house.delete("anonymise")
    assert ledger.do(ExpireUploads()).result == (upload.id,)
    assert ledger.sql("SELECT uid FROM upload WHERE completed_as IS NULL") == [(ahead.id,)]
    assert "on its way" not in house.names()
    assert findings(ledger.path) == {}


@pytest.mark.parametrize("content", ["anonymise", "remove"])
def test_their_words_leave_the_index_of_files(ledger: Ledger, house: House, content: Content) -> None:
    """Not only its rows: the words of what was deleted stand in the segments of the index until they are merged."""
    ledger.do(RecordPreview(house.private.id, 1, "done", text="zebedeequux"))
    for number in range(20):
        house.shelf.add(house.bo, name=f"other {number}")
    ledger.sql("INSERT INTO file_text (file_text) VALUES ('optimize')")
    assert _holding(ledger, b"ebedeequux") > 0
    house.delete(content)
    assert _holding(ledger, b"ebedeequux") == 0


def _holding(ledger: Ledger, word: bytes) -> int:
    blocks = ledger.sql("SELECT block FROM file_text_data") + ledger.sql("SELECT c1 FROM file_text_content")
    return sum(word in (block if isinstance(block, bytes) else str(block).encode()) for (block,) in blocks)


def test_the_index_is_merged_in_steps(ledger: Ledger, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TEXT_INDEX_PAGES", 1)
    for number in range(300):
        ledger.sql(
            "INSERT INTO file_text (rowid, name, text) VALUES (?, ?, ?)", 1_000 + number, f"n{number}", "w" * 500
        )
    house.delete("anonymise")
    assert _holding(ledger, b"private") == 0


def test_anonymous_forever(house: House, ledger: Ledger) -> None:
    """The events of what is removed are by nobody whom they name."""
    house.delete("remove")
    actors = ledger.sql(
        "SELECT DISTINCT u.name FROM event e JOIN user u ON u.id = e.actor_id WHERE e.type = 'file.deleted'"
    )
    assert actors == [("Deleted user",)]


def test_ana_cannot_be_seen_to_have_had_it(house: House, ledger: Ledger, ana: Identity) -> None:
    house.delete("anonymise")
    assert ledger.sql("SELECT name, metadata FROM file WHERE deleted_at IS NOT NULL") == [("", "{}")]


@pytest.fixture
def ana(house: House) -> Identity:
    return house.ana
