"""Documents in the store: edits in order, folded, refused, and gone with their artifact."""

from typing import Any

import orjson
import pytest

from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound
from actors.resources.artifacts.artifact import Artifact
from actors.resources.documents import (
    AppendEdit,
    FoldEdits,
    GetDocumentAccess,
    GetEdited,
    NoteCut,
    StartDocument,
    StoredDocument,
)
from actors.resources.members import UpdateMember
from actors.resources.threads import DeleteThread, Thread, UpdateThread
from storage.readers.answers import answer
from tests.builders import Ledger
from tests.storage.resources.artifacts.desk import Desk


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


@pytest.fixture
def artifact(ledger: Ledger, ana: Identity, thread: Thread) -> Artifact:
    artifact = Desk(ledger).create(ana, thread, "One.")
    assert ledger.do(StartDocument(artifact_id=artifact.id, state=b"state", version=1)).result is True
    return artifact


def append(ledger: Ledger, artifact: Artifact, who: Identity | None, edit: bytes, **more: Any) -> object:
    return ledger.do(AppendEdit(artifact_id=artifact.id, edit=edit, identity=who, **more)).result


def document(ledger: Ledger, who: Identity, artifact: Artifact) -> StoredDocument:
    found = ledger.ask(answer, GetEdited(who, artifact.id)).document
    assert found is not None
    return found


def test_edits_are_numbered_and_folded(ledger: Ledger, ana: Identity, artifact: Artifact) -> None:
    assert ledger.do(StartDocument(artifact_id=artifact.id, state=b"other", version=1)).result is False
    assert [append(ledger, artifact, ana, edit) for edit in (b"a", b"b", b"c")] == [1, 2, 3]
    found = document(ledger, ana, artifact)
    assert (found.state, found.edits, found.newest, found.version) == (b"state", (b"a", b"b", b"c"), 3, 1)
    ledger.do(FoldEdits(artifact_id=artifact.id, state=b"state a b", newest=2))
    found = document(ledger, ana, artifact)
    assert (found.state, found.edits, found.newest) == (b"state a b", (b"c",), 3)
    assert append(ledger, artifact, None, b"d", version=7) == 4
    assert document(ledger, ana, artifact).version == 7
    ledger.do(NoteCut(artifact_id=artifact.id, version=8, faults='[{"field":"content"}]'))
    found = document(ledger, ana, artifact)
    assert (found.version, found.faults, found.edits) == (8, '[{"field":"content"}]', (b"c", b"d"))


def test_only_who_may_write_edits(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, artifact: Artifact
) -> None:
    ledger.do(UpdateMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, role="VIEWER"))
    with pytest.raises(Forbidden):
        append(ledger, artifact, bo, b"x")
    with pytest.raises(NotFound):
        append(ledger, artifact, ledger.user("cy"), b"x")
    assert [ledger.ask(answer, GetEdited(who, artifact.id)).may_write for who in (ana, bo)] == [True, False]
    keys = (ana.user.key, bo.user.key, 999)
    access = ledger.ask(answer, GetDocumentAccess(artifact.id, keys))
    assert (access.version, access.status, access.roles) == (1, "ACTIVE", {keys[0]: "OWNER", keys[1]: "VIEWER"})
    assert [access.may_write(key) for key in keys] == [True, False, False]
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED"))
    assert not ledger.ask(answer, GetDocumentAccess(artifact.id, keys)).may_write(keys[0])
    with pytest.raises(Conflict):
        append(ledger, artifact, ana, b"x")
    assert document(ledger, ana, artifact).edits == ()


def test_the_base_is_the_version_that_it_was_last_the_same_as(
    ledger: Ledger, ana: Identity, artifact: Artifact
) -> None:
    Desk(ledger).revise(ana, artifact, "Two.")
    edited = ledger.ask(answer, GetEdited(ana, artifact.id))
    assert edited.artifact.newest is not None
    assert [orjson.loads(text or "") for text in (edited.base, edited.artifact.newest.content)] == ["One.", "Two."]
    ledger.sql("DELETE FROM artifact_version WHERE number = 1")
    assert ledger.ask(answer, GetEdited(ana, artifact.id)).base is None


def test_they_go_with_their_artifact(ledger: Ledger, ana: Identity, artifact: Artifact) -> None:
    append(ledger, artifact, ana, b"x")
    Desk(ledger).delete(ana, artifact)
    assert [ledger.one(f"SELECT count(*) FROM {table}") for table in ("artifact_document", "artifact_edit")] == [0, 0]
    assert ledger.ask(answer, GetDocumentAccess(artifact.id, (ana.user.key,))).version is None
    for refused in (
        AppendEdit(artifact_id=artifact.id, edit=b"x", identity=None),
        FoldEdits(artifact_id=artifact.id, state=b"", newest=1),
        StartDocument(artifact_id=artifact.id, state=b"", version=1),
    ):
        with pytest.raises(NotFound):
            ledger.do(refused)


def test_other_documents_stay_as_they_are(ledger: Ledger, ana: Identity, thread: Thread, artifact: Artifact) -> None:
    other = Desk(ledger).create(ana, thread, "Two.")
    with pytest.raises(NotFound, match="document"):
        append(ledger, other, ana, b"x")
    assert ledger.do(StartDocument(artifact_id=other.id, state=b"of the other", version=1)).result is True
    append(ledger, other, ana, b"1")
    before = document(ledger, ana, other)
    for edit in (b"a", b"b"):
        append(ledger, artifact, ana, edit, version=5)
    for command in (
        FoldEdits(artifact_id=artifact.id, state=b"state a", newest=1),
        NoteCut(artifact_id=artifact.id, version=6, faults="[]"),
    ):
        assert ledger.do(command).result is None
    assert document(ledger, ana, other) == before
    Desk(ledger).delete(ana, artifact)
    assert document(ledger, ana, other) == before


def test_nothing_is_edited_in_a_thread_that_was_deleted(
    ledger: Ledger, ana: Identity, thread: Thread, artifact: Artifact
) -> None:
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    with pytest.raises(NotFound, match="artifact"):
        append(ledger, artifact, None, b"x")
