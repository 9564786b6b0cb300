"""`xp user delete`."""

import pytest

from actors.resources.files.erasure import REASONS
from actors.resources.threads import Thread
from actors.resources.users import SYSTEM_SUBJECT
from tests.builders import Ledger
from tests.cli.conftest import Xp, audited, by_terminal, sign_in


@pytest.fixture
def thread(ledger: Ledger) -> Thread:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(bo, ana)
    for who in (ana, bo, ana):
        ledger.post(who, thread, f"by {who.user.name}")
    sign_in(ledger, ana)
    return thread


def contents(ledger: Ledger) -> list[str]:
    return [row[0] for row in ledger.sql("SELECT content FROM message ORDER BY id")]


def test_it_asks_first(xp: Xp, ledger: Ledger, thread: Thread) -> None:
    asked = xp("user", "delete", "ana@example.com", stdin="n\n")
    assert asked.code == 1
    assert "ana (ana@example.com) leaves 1 thread and is deleted for good. Their messages stay" in asked.err
    assert ledger.one("SELECT status FROM user WHERE name = 'ana'") == "ACTIVE"
    assert audited(ledger) == []


def test_what_they_wrote_stays_without_their_name(xp: Xp, ledger: Ledger, thread: Thread) -> None:
    ana = ledger.user("ana").user
    ran = xp("user", "delete", "ana@example.com", stdin="y\n")
    assert ran.out == f"Deleted {ana.id}. Their messages stay, by an anonymous author.\n"
    assert contents(ledger) == ["by ana", "by bo", "by ana"]
    assert ledger.sql("SELECT name, email, status FROM user WHERE uid = ?", ana.id) == [
        ("Deleted user", "", "DEACTIVATED")
    ]
    assert ledger.one("SELECT count(*) FROM session WHERE ended_at IS NULL") == 0
    assert audited(ledger) == [by_terminal("delete_user", ana.id)]
    assert xp("db", "check").code == 0


def test_what_they_wrote_goes_to_the_end(
    xp: Xp, ledger: Ledger, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In steps of one row, so that there are several."""
    from actors.resources.users import EraseContent

    monkeypatch.setattr("actors.resources.users.EraseContent", lambda: EraseContent(rows=1, looked_at=2))
    assert xp("user", "delete", "ana@example.com", "--content", "remove", "--yes").out.endswith(
        "Their messages are deleted.\n"
    )
    assert contents(ledger) == ["", "by bo", ""]
    assert ledger.one("SELECT count(*) FROM erasure") == 0
    assert xp("db", "check").code == 0


def test_who_cannot_be_deleted(xp: Xp, ledger: Ledger) -> None:
    assert xp("user", "delete", "nobody", "--yes").sentence == "There is no user 'nobody'."
    xp("user", "create", "ana@x.org")  # makes the system user
    system = ledger.one("SELECT uid FROM user WHERE subject = ?", SYSTEM_SUBJECT)
    assert xp("user", "delete", system, "--yes").code == 1
    assert xp("user", "delete", "ana@x.org", "--content", "keep").code == 2


def test_what_becomes_of_their_files_is_said(xp: Xp, ledger: Ledger, thread: Thread) -> None:
    put = ("files", "put", "-", "--as", "ana@example.com")
    xp(*put, "--name", "private.txt", stdin="private")
    shown = xp(*put, "--name", "shown.txt", "--thread", thread.id, "--json", stdin="shown").json
    ledger.post(ledger.user("bo"), thread, "look", file_ids=(shown["id"],))
    said = xp("user", "delete", "ana@example.com", "--content", "remove", "--yes").out.splitlines()
    assert said[1:] == ["Deleted 1 file (7 B).", f"Kept 1 file (5 B). {REASONS['shown_by_others']}"]
    assert [file["name"] for file in xp("files", "list", "--json").json] == ["shown.txt"]
    assert xp("db", "check").code == 0
