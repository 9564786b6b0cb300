"""With a deleted artifact goes all that is about it, and nothing that is about others."""

from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.actions import Act, Checked, Subject
from actors.resources.artifacts import contents
from actors.resources.artifacts.artifact import Artifact
from actors.resources.artifacts.commands import DeleteArtifact
from actors.resources.artifacts.shares import CreateShare
from actors.resources.documents import AppendEdit, StartDocument
from actors.resources.threads import Thread
from actors.resources.users import DeleteUser, EraseContent
from storage.journal import transaction
from tests.builders import FAR_FUTURE, Ledger
from tests.storage.resources.artifacts.desk import Desk
from tests.storage.test_integrity import findings

NOW = 1_900_000_000_000
PARTS = (
    "artifact_version", "artifact_share", "artifact_data", "artifact_comment", "artifact_proposal", "artifact_stream",
    "artifact_document", "artifact_edit", "action",
)  # fmt: skip


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


def full(ledger: Ledger, desk: Desk, who: Identity, other: Identity, thread: Thread, text: str) -> Artifact:
    """An artifact of one user with something of each kind, some of it another user's."""
    artifact = desk.create(who, thread, text)
    ledger.do(CreateShare(identity=who, share_id=new_id(), artifact_id=artifact.id, expires_at=FAR_FUTURE * 1000))
    desk.measure(who, artifact, [["[1]"], ["[2]"]])
    desk.comment(other, artifact, "Really?")
    desk.propose(who, artifact, f"{text} Or not.")
    desk.stream(who, artifact, "grows")
    ledger.do(StartDocument(artifact_id=artifact.id, state=b"state", version=1))
    ledger.do(AppendEdit(artifact_id=artifact.id, edit=b"edit", identity=who))
    checked = Checked(contents.packed("REPORT", text).digest, "button", "null", "{}")
    ledger.do(Act(
        identity=other, thread_id=thread.id, subject=Subject("artifact", artifact.id), block_id="b", action_id="yes",
        checked=checked,
    ))  # fmt: skip
    return artifact


def rows_of(ledger: Ledger, artifact: Artifact) -> dict[str, list[Any]]:
    parts = {part: ledger.sql(f"SELECT * FROM {part} WHERE artifact_id = ? ORDER BY 1, 2", artifact.key)
             for part in PARTS}  # fmt: skip
    return {"artifact": ledger.sql("SELECT * FROM artifact WHERE id = ?", artifact.key), **parts}


def left(ledger: Ledger, artifact: Artifact) -> dict[str, int]:
    """Rows of its parts; tombstones of comments, proposals and streams are for replays."""
    words = {
        "artifact_comment": "content <> ''", "artifact_proposal": "patch IS NOT NULL", "artifact_stream": "size > 0"
    }  # fmt: skip
    found = {
        part: ledger.one(
            f"SELECT count(*) FROM {part} WHERE artifact_id = ? AND {words.get(part, 'TRUE')}", artifact.key
        )
        for part in PARTS
    }
    return {part: count for part, count in found.items() if count}


def test_a_deletion(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, artifact = (full(ledger, desk, ana, bo, thread, text) for text in ("One.", "Two."))
    before = rows_of(ledger, other)
    assert set(left(ledger, artifact)) == set(PARTS)
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    done = ledger.do(DeleteArtifact(identity=ana, thread_id=thread.id, artifact_id=artifact.id))
    assert done.result.id == artifact.id
    assert [event.type for event in done.events] == ["artifact.deleted"]
    assert told(done, thread) == {
        ("notification.cancelled", ana.user.key), ("actions.deleted", ana.user.key), ("actions.deleted", bo.user.key)
    }  # fmt: skip
    assert left(ledger, artifact) == {}
    assert ledger.sql("SELECT deleted_at, updated_at FROM artifact WHERE id = ?", artifact.key) == [(NOW, NOW)]
    assert rows_of(ledger, other) == before
    assert ledger.one("SELECT count(*) FROM audit WHERE action = 'delete_artifact'") == 0
    assert findings(ledger.path) == {}


def told(done: Done[Any], thread: Thread) -> set[tuple[str, int]]:
    """(type, user), all about one thread."""
    facts: list[Any] = [event.data for event in done.user_events]
    assert {each["thread_id"] for each in facts} == {thread.id}
    return {(event.type, event.user_key) for event in done.user_events}


def test_the_audit_log_names_an_artifact_that_another_deletes(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, thread: Thread
) -> None:
    artifact = desk.create(bo, thread)
    desk.delete(ana, artifact)
    noted = "SELECT actor_id, target_kind, target_id FROM audit WHERE action = 'delete_artifact'"
    assert ledger.sql(noted) == [(ana.user.id, "artifact", artifact.id)]


def test_an_erasure_in_bounded_steps(
    ledger: Ledger, desk: Desk, root: Identity, ana: Identity, bo: Identity, thread: Thread,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(limits, "ARTIFACTS_ERASED", 1)
    kept = desk.create(ana, thread, "Kept.")
    first, second = (full(ledger, desk, bo, ana, thread, text) for text in ("One.", "Two."))
    before = rows_of(ledger, kept)
    ledger.do(DeleteUser(identity=root, user_id=bo.user.id, content="remove"))
    gone = []
    while (done := ledger.do(EraseContent())).result:
        gone += [[event.data.id for event in done.events if event.type == "artifact.deleted"]]  # type: ignore[attr-defined]
    assert [step for step in gone if step] == [[first.id], [second.id]]
    assert (left(ledger, first), left(ledger, second)) == ({}, {})
    assert rows_of(ledger, kept) == before
    assert findings(ledger.path) == {}
