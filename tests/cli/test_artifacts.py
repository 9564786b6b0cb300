"""`xp artifact`."""

from pathlib import Path

import pytest

from actors.auth.identity import Identity
from actors.resources.artifacts.artifact import Artifact
from actors.resources.comments.anchors import Anchor
from actors.resources.threads import Thread
from tests.builders import Ledger
from tests.cli.conftest import Xp, audited
from tests.storage.resources.artifacts.desk import Desk

TABLE = {"sections": [{"type": "table", "columns": ["a"], "rows": [["=1"]]}]}


@pytest.fixture
def ana(ledger: Ledger) -> Identity:
    return ledger.user("ana")


@pytest.fixture
def thread(ledger: Ledger, ana: Identity) -> Thread:
    return ledger.thread(ana)


@pytest.fixture
def artifact(ledger: Ledger, ana: Identity, thread: Thread) -> Artifact:
    desk = Desk(ledger)
    made = desk.create(ana, thread, "The *first* words.", title="Sales")
    return desk.revise(ana, made, TABLE, label="second")


def test_list(xp: Xp, ledger: Ledger, ana: Identity, thread: Thread, artifact: Artifact) -> None:
    Desk(ledger).create(ana, ledger.thread(ana), "penguins", title="Birds", type="INSIGHT")
    assert [one["title"] for one in xp("artifact", "list", "--json").json] == ["Birds", "Sales"]
    assert [one["title"] for one in xp("artifact", "list", "--json", "--type", "INSIGHT").json] == ["Birds"]
    assert [one["title"] for one in xp("artifact", "list", "--json", "--thread", thread.id).json] == ["Sales"]
    assert [one["title"] for one in xp("artifact", "list", "--json", "--text", "penguin").json] == ["Birds"]
    few = xp("artifact", "list", "--limit", "1")
    assert "Birds" in few.out
    assert "Only 1 are shown" in few.err


def test_show_and_versions(xp: Xp, artifact: Artifact) -> None:
    shown = xp("artifact", "show", artifact.id)
    assert "Report, version 2" in shown.out
    assert "| =1 |" in shown.out
    assert xp("artifact", "show", artifact.id, "--json").json["content"] == TABLE
    versions = xp("artifact", "versions", artifact.id, "--json").json
    assert [(one["number"], one["label"]) for one in versions] == [(2, "second"), (1, None)]
    assert "patched" in xp("artifact", "versions", artifact.id).out


def test_proposals(xp: Xp, ledger: Ledger, ana: Identity, thread: Thread) -> None:
    desk = Desk(ledger)
    text = desk.create(ana, thread, "One.")
    desk.propose(ana, text, "Two.", comment="Better")
    assert "Better" in xp("artifact", "proposals", text.id).out
    (found,) = xp("artifact", "proposals", text.id, "--status", "open", "--json").json
    assert (found["comment"], found["hunk_count"], found["base_version"]) == ("Better", 1, 1)
    assert xp("artifact", "proposals", text.id, "--status", "rejected", "--json").json == []


def test_comments(xp: Xp, ledger: Ledger, ana: Identity, thread: Thread) -> None:
    desk = Desk(ledger)
    text = desk.create(ana, thread, "One.\nTwo.")
    first = desk.comment(ana, text, "Why?", anchor=Anchor("", 5, 8, "Two"))
    reply = desk.comment(ana, text, "So.", parent_id=first.id)
    desk.revise(ana, text, "Two.")
    listed = xp("artifact", "comments", text.id, "--json").json
    assert [(one["id"], one["parent_id"]) for one in listed] == [(reply.id, first.id), (first.id, None)]
    assert (listed[1]["place"]["standing"], listed[1]["place"]["start"]) == ("moved", 0)
    assert "Why?" in xp("artifact", "comments", text.id, "--open").out
    assert xp("artifact", "comments", text.id, "--resolved", "--json").json == []
    desk.revise(ana, text, "Else.")
    assert "orphaned" in xp("artifact", "comments", text.id).out
    assert xp("artifact", "comments", "cmwtj2zqi000059b8tfy744ms").code != 0


def test_export(xp: Xp, artifact: Artifact, tmp_path: Path) -> None:
    for form, version, expected in (
        ("csv", "2", b"\xef\xbb\xbfa\r\n'=1\r\n"),
        ("markdown", "1", b"# Sales\n\nThe *first* words.\n"),
    ):
        file = tmp_path / form
        assert xp("artifact", "export", artifact.id, file, "--format", form, "--version", version).code == 0
        assert file.read_bytes() == expected
        assert "the file exists" in xp("artifact", "export", artifact.id, file, "--format", form).sentence
    assert "<em>first</em>" in xp("artifact", "export", artifact.id, "-", "--format", "html", "--version", "1").out
    document = tmp_path / "report.pdf"
    assert xp("artifact", "export", artifact.id, document, "--format", "pdf").code == 0
    assert document.read_bytes().startswith(b"%PDF-")
    assert "no chart" in xp("artifact", "export", artifact.id, "-", "--format", "svg").sentence
    assert "no table" in xp("artifact", "export", artifact.id, "-", "--format", "csv", "--version", "1").sentence


def test_restore(xp: Xp, ledger: Ledger, ana: Identity, artifact: Artifact) -> None:
    assert "is version 3 now" in xp("artifact", "restore", artifact.id, "1").out
    assert "is version 4 now" in xp("artifact", "restore", artifact.id, "2", "--as", ana.user.id).out
    versions = xp("artifact", "versions", artifact.id, "--json").json
    assert [one["author"]["name"] for one in versions[:2]] == ["ana", "System"]
    assert [entry[2] for entry in audited(ledger)][-1] == "restore_artifact"
    assert "There is no version '9'" in xp("artifact", "restore", artifact.id, "9").sentence
