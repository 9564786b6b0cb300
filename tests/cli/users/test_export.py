"""`xp user export`."""

import json
from pathlib import Path
from typing import Any

import pytest

from actors.auth.identity import Identity
from actors.resources.files.processing import RecordScan
from actors.resources.members import RemoveMember
from actors.resources.messages import DeleteMessage
from tests.builders import Ledger
from tests.cli.conftest import Xp, audited, by_terminal, sign_in
from tests.storage.resources.artifacts.desk import Desk


@pytest.fixture
def ana(ledger: Ledger) -> Identity:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    first, second = ledger.thread(ana, title="First"), ledger.thread(bo, ana, title="Left")
    for n in range(3):
        ledger.post(ana, first, f"one {n}")
        ledger.post(bo, second, "not hers")
    ledger.post(ana, second, "in a thread that she has left")
    desk = Desk(ledger)
    desk.create(ana, second, "of ana")
    desk.create(bo, second, "of bo")
    desk.create(ana, first, "another")
    gone = ledger.post(ana, first, "taken back")
    ledger.do(DeleteMessage(identity=ana, thread_id=first.id, message_id=gone.id))
    ledger.do(RemoveMember(identity=ana, thread_id=second.id, user_id=ana.user.id))
    sign_in(ledger, ana)
    sign_in(ledger, bo)
    return ana


@pytest.mark.parametrize("at_once", [1, 2, 500])
def test_everything_in_one_document(
    at_once: int, xp: Xp, ledger: Ledger, ana: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.XP_PAGE", at_once)
    xp("key", "create", ana.user.id, "--name", "bot")
    file = tmp_path / "ana.json"
    assert xp("user", "export", "ana@example.com", file).code == 0
    found: dict[str, Any] = json.loads(file.read_text())
    assert found.pop("files") == []
    assert list(found) == [
        "user",
        "memberships",
        "sessions",
        "api_keys",
        "messages",
        "artifacts",
        "proposals",
        "comments",
        "actions",
    ]
    assert (found["user"]["email"], found["user"]["subject"]) == ("ana@example.com", "sub-ana")
    assert [membership["title"] for membership in found["memberships"]] == ["First"]
    assert [session["user_id"] for session in found["sessions"]] == [ana.user.id]
    assert [key["name"] for key in found["api_keys"]] == ["bot"]
    assert found["api_keys"][0]["key"] is None
    assert [message["content"] for message in found["messages"]] == [
        "one 0", "one 1", "one 2", "in a thread that she has left",
    ]  # fmt: skip
    assert [artifact["content"] for artifact in found["artifacts"]] == ["of ana", "another"]
    assert found["proposals"] == found["comments"] == []
    assert audited(ledger)[-1] == by_terminal("export_user", ana.user.id)


def test_to_stdout_of_one_who_wrote_nothing(xp: Xp, ledger: Ledger) -> None:
    ledger.user("cy")
    assert xp("user", "export", "cy@example.com", "-").json["messages"] == []


def test_nothing_is_overwritten_unasked(xp: Xp, ledger: Ledger, ana: Identity, tmp_path: Path) -> None:
    file = tmp_path / "ana.json"
    file.write_text("mine")
    assert "the file exists" in xp("user", "export", ana.user.id, file).sentence
    assert audited(ledger) == []
    assert xp("user", "export", ana.user.id, file, "--force").code == 0
    assert file.read_text() != "mine"


def test_nobody(xp: Xp, ledger: Ledger, tmp_path: Path) -> None:
    assert xp("user", "export", "nobody", tmp_path / "x").sentence == "There is no user 'nobody'."
    assert not (tmp_path / "x").exists()


def test_files_with_all_of_their_versions(xp: Xp, ledger: Ledger, tmp_path: Path) -> None:
    """Also of a thread that they have left; what is in quarantine is said."""
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(bo, ana)
    put = ("files", "put", "-", "--as", "ana@example.com", "--json")
    first = xp(*put, "--name", "notes.txt", "--thread", thread.id, stdin="one").json["id"]
    xp(*put, "--to", first, stdin="two")
    second = xp(*put, "--name", "bad.txt", stdin="bad").json["id"]
    ledger.do(RecordScan(second, 1, "found", "Eicar"))
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=ana.user.id))
    ran = xp("user", "export", ana.user.id, "-", "--files", tmp_path / "files")
    assert [file["id"] for file in json.loads(ran.out)["files"]] == [first, second]
    written = {path.relative_to(tmp_path / "files"): path.read_text() for path in (tmp_path / "files").rglob("*.txt")}
    assert written == {Path(first, "1 notes.txt"): "one", Path(first, "2 notes.txt"): "two"}
    assert f"{second}: version 1 is in quarantine, and left out." in ran.err


def test_a_file_whose_name_is_as_long_as_names_may_be(xp: Xp, ledger: Ledger, tmp_path: Path) -> None:
    ana = ledger.user("ana")
    name = f"{'ä' * 125}.text"
    file = xp("files", "put", "-", "--as", "ana@example.com", "--json", "--name", name, stdin="one").json
    assert len(file["name"].encode()) == 255
    assert xp("user", "export", ana.user.id, "-", "--files", tmp_path / "files").code == 0
    (written,) = (tmp_path / "files" / file["id"]).iterdir()
    assert (written.name[:5], written.suffix, written.read_text()) == ("1 äää", ".text", "one")
