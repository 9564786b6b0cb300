"""`xp files put`, `get`, `list` and `show`: what goes in comes out, in the name of who was named."""

import hashlib
import subprocess
import time
from pathlib import Path

import pytest

from actors.auth.identity import Identity
from actors.resources.files.processing import RecordScan
from cli.files import get
from storage.blobs.folder import FolderStore
from tests.builders import Ledger
from tests.cli.conftest import Xp, audited, by_terminal
from tests.cli.files.conftest import Desk

ANA = ("--as", "ana@example.com")


def test_what_is_put_can_be_got(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4_000
    file = desk.put(content, *ANA, name="numbers.bin")
    assert (file["name"], file["size"], file["status"], file["version"]) == ("numbers.bin", 1_024_000, "ready", 1)
    assert (file["owner"]["id"], file["thread_id"]) == (ana.user.id, None)
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    target = tmp_path / "copy"
    assert xp("files", "get", file["id"], target).code == 0
    assert target.read_bytes() == content
    assert [path.name for path in (xp.folder / "uploads").iterdir()] == []
    assert audited(ledger)[-2:] == [by_terminal("create_file", file["id"]), by_terminal("read_file", file["id"])]
    assert xp("db", "check").code == 0


def test_stdin_and_stdout_are_streams(xp: Xp, ledger: Ledger, ana: Identity) -> None:
    ran = xp("files", "put", "-", "--name", "notes.txt", *ANA, "--json", stdin="from a pipe")
    assert xp("files", "get", ran.json["id"], "-").out == "from a pipe"
    assert xp("files", "put", "-", stdin="x").code == 2, "stdin has no name"


def test_a_new_version_keeps_the_older_one(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file = desk.put(b"first", *ANA)
    second = desk.put(b"second", "--to", file["id"], *ANA, name="other.txt")
    assert (second["id"], second["version"], second["name"]) == (file["id"], 2, "notes.txt")
    assert xp("files", "get", file["id"], "-").out == "second"
    assert xp("files", "get", file["id"], "-", "--version", 1).out == "first"
    assert xp("files", "get", file["id"], "-", "--version", 3).code == 1
    assert xp("files", "put", desk.source(), "--to", file["id"], "--name", "x").code == 2


def test_into_a_thread(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    thread = ledger.thread(ana)
    file = desk.put(b"for all", "--thread", thread.id)
    assert (file["owner"]["name"], file["thread_id"]) == ("System", thread.id)
    assert desk.put(b"hers", "--thread", thread.id, *ANA)["owner"]["id"] == ana.user.id
    ledger.user("bo")
    bo = ("--as", "bo@example.com")
    ran = xp("files", "put", desk.source(), "--thread", thread.id, *bo)
    assert ran.sentence.startswith(f"bo is not a member of thread {thread.id}")
    shown = xp("files", "list", "--thread", thread.id, "--json").json
    assert [each["size"] for each in shown] == [4, 7]
    events = ledger.sql("SELECT type FROM event WHERE type LIKE 'file.%' ORDER BY position")
    assert events == [("file.created",), ("file.updated",)] * 2


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"FILE_BYTES": "4"}, "A file may be at most 4 bytes; got more."),
        ({"QUOTA_USER": "4"}, "The user may have 4 bytes of files and has 0; 5 more do not fit."),
        ({"FILE_TYPES": "image/*"}, "text/plain"),
    ],
)
def test_the_rules_of_uploads_hold(
    rule: dict[str, str], said: str, xp: Xp, ledger: Ledger, desk: Desk, ana: Identity
) -> None:
    """And nothing is left of what was refused."""
    assert said in xp("files", "put", desk.source(), *ANA, **rule).sentence
    assert xp("files", "list", "--json").json == []
    assert list((xp.folder / "uploads").iterdir()) == []
    assert ledger.one("SELECT count(*) FROM upload") == 0
    assert xp("db", "check").code == 0


def test_what_is_refused_makes_system_no_member(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    thread = ledger.thread(ana)
    refused = xp("files", "put", desk.source(), "--thread", thread.id, FILE_TYPES="image/*")
    assert "text/plain" in refused.sentence
    assert ledger.one("SELECT count(*) FROM member") == 1
    desk.put(b"taken", "--thread", thread.id)
    assert ledger.one("SELECT count(*) FROM member") == 2


def test_what_a_scanner_is_to_look_at_waits_for_it(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file = desk.put(b"hello", *ANA, SCAN_URL="exec:/bin/true")
    assert file["status"] == "scanning"
    assert "being scanned" in xp("files", "get", file["id"], "-").sentence
    ledger.do(RecordScan(file["id"], 1, "found", "Eicar"))
    assert "in quarantine: Eicar" in xp("files", "get", file["id"], "-").sentence
    assert xp("files", "get", file["id"], "-", "--quarantined").out == "hello"


def test_an_interrupted_get_goes_on(
    xp: Xp, ledger: Ledger, desk: Desk, ana: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(range(256)) * 4_096
    file = desk.put(content, *ANA)
    target = tmp_path / "copy"

    class Broken(FolderStore):
        async def open(self, digest: str, start: int = 0, end: int | None = None):  # type: ignore[no-untyped-def]
            async for piece in super().open(digest, start, end):
                yield piece
                raise KeyboardInterrupt

    monkeypatch.setattr("storage.blobs.opening.FolderStore", Broken)
    assert xp("files", "get", file["id"], target).code in (1, 130)
    assert not target.exists()
    (partial,) = tmp_path.glob(".copy.*.partial")
    half = partial.stat().st_size
    assert 0 < half < len(content)
    starts: list[int] = []

    class Noted(FolderStore):
        async def open(self, digest: str, start: int = 0, end: int | None = None):  # type: ignore[no-untyped-def]
            starts.append(start)
            async for piece in super().open(digest, start, end):
                yield piece

    monkeypatch.setattr("storage.blobs.opening.FolderStore", Noted)
    assert xp("files", "get", file["id"], target).code == 0
    assert starts == [half]
    assert target.read_bytes() == content
    assert list(tmp_path.glob(".copy.*")) == []


def test_a_partial_copy_of_other_bytes_is_noticed(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file = desk.put(b"x" * 1_000, *ANA)
    target = desk.folder / "copy"
    partial = desk.folder / f".copy.{file['sha256'][:16]}.partial"
    partial.write_bytes(b"y" * 10)
    assert "Expected bytes with the sha256" in xp("files", "get", file["id"], target).sentence
    assert not target.exists()
    assert xp("files", "get", file["id"], target).code == 0, "the next one begins anew"


def test_one_command_at_a_time_writes_a_copy(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file = desk.put(b"x", *ANA)
    partial = desk.folder / f".copy.{file['sha256'][:16]}.partial"
    with get._taken(partial):
        assert "another command is writing it" in xp("files", "get", file["id"], desk.folder / "copy").sentence


def test_nothing_is_overwritten_unasked(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file = desk.put(b"new", *ANA)
    target = desk.source(b"old", "target")
    assert "the file exists" in xp("files", "get", file["id"], target).sentence
    assert target.read_bytes() == b"old"
    assert xp("files", "get", file["id"], target, "--force").code == 0
    assert target.read_bytes() == b"new"


def test_lost_and_damaged_bytes(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file = desk.put(b"hello", *ANA)
    desk.blob(file).write_bytes(b"jello")
    assert "Expected bytes with the sha256" in xp("files", "get", file["id"], desk.folder / "a").sentence
    desk.blob(file).unlink()
    assert "There is no blob" in xp("files", "get", file["id"], desk.folder / "b").sentence
    assert not (desk.folder / "a").exists()
    assert not (desk.folder / "b").exists()


def test_a_list_is_filtered_and_bounded(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    for number in range(3):
        desk.put(b"%d" % number, *ANA, name=f"note {number}.txt")
    desk.put(b"%PDF-1.7\n%%EOF\n", name="paper.pdf")

    def names(*options: str) -> list[str]:
        return [file["name"] for file in xp("files", "list", "--json", *options).json]

    assert names() == ["paper.pdf", "note 2.txt", "note 1.txt", "note 0.txt"]
    assert names("--owner", "ana@example.com", "--limit", "2") == ["note 2.txt", "note 1.txt"]
    assert names("--type", "text/*", "--name", "1") == ["note 1.txt"]
    assert names("--status", "pending") == []
    ran = xp("files", "list", "--limit", 1)
    assert "paper.pdf" in ran.out
    assert "Only 1 are shown; --limit 0 lists all." in ran.err
    assert xp("files", "list", "--thread", "nothing").sentence == "There is no thread 'nothing'."


def test_show(xp: Xp, ledger: Ledger, desk: Desk, ana: Identity) -> None:
    file = desk.put(b"first", *ANA)
    desk.put(b"second", *ANA, "--to", file["id"])
    message = ledger.post(ana, thread := ledger.thread(ana), "look", file_ids=(file["id"],))
    shown = xp("files", "show", file["id"], "--json").json
    assert [version["number"] for version in shown["versions"]] == [2, 1]
    assert shown["messages"] == [{"id": message.id, "thread_id": thread.id}]
    assert shown["file"]["thread_id"] == thread.id
    text = xp("files", "show", file["id"]).out
    assert f"thread    {thread.id}" in text
    assert message.id in text
    assert xp("files", "show", "nothing").sentence == "There is no file 'nothing'."


def test_a_killed_put_leaves_nothing_that_stays(
    xp: Xp, ledger: Ledger, ana: Identity, command_line: list[str], tmp_path: Path
) -> None:
    """What it began ends by itself: an upload lasts a day, here until its time has passed."""
    environment = {name: value for name, value in xp.environment.items() if value is not None}
    words = [*command_line, "files", "put", "-", "--name", "half.bin", *ANA]
    uploads = xp.folder / "uploads"
    with subprocess.Popen(words, stdin=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        process.stdin.write(b"x" * 2_000_000)
        while not (uploads.exists() and list(uploads.iterdir())):
            assert process.poll() is None
            time.sleep(0.01)  # between two looks at another process
        process.kill()
    assert ledger.one("SELECT count(*) FROM upload") == 1
    ledger.sql("UPDATE upload SET expires_at = 1")
    assert xp("files", "prune", "--json").json["uploads"] == 1
    assert list(uploads.iterdir()) == []
    assert xp("files", "list", "--json").json == []
    assert xp("db", "check").code == 0
