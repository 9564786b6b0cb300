"""Comments in the store: what they keep of their base, and what is forgotten."""

import pytest

from actors import commands
from actors.auth.identity import Identity
from actors.resources.artifacts.artifact import Artifact
from actors.resources.comments.anchors import Anchor
from actors.resources.comments.comment import (
    DeleteComment,
    GetComment,
    ListComments,
    ListCommentsBy,
    UpdateComment,
)
from actors.resources.threads import DeleteThread, Thread
from actors.resources.users import DeleteUser, EraseContent
from storage.journal.store import JournalStore
from storage.readers.answers import answer
from tests.builders import Ledger, once
from tests.storage.resources.artifacts.desk import Desk
from tests.storage.test_integrity import findings


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


@pytest.fixture
def artifact(desk: Desk, ana: Identity, thread: Thread) -> Artifact:
    return desk.create(ana, thread, "one two")


ANCHOR = Anchor("", 0, 3, "one", "", " two")


def test_the_base_stays_as_long_as_the_comment(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, artifact: Artifact
) -> None:
    ledger.store.close()
    ledger.store = JournalStore(ledger.options, artifact_versions=1)
    ledger.store.open()
    comment = desk.comment(bo, artifact, anchor=ANCHOR)
    for text in "abc":
        desk.revise(ana, artifact, text)
    found = ledger.ask(answer, GetComment(ana, artifact.id, comment.id))
    assert (found.bases, found.newest, found.version) == ({1: '"one two"'}, '"c"', 4)
    assert desk.bodies() == [1, 1]
    ledger.do(DeleteComment(
        identity=bo, thread_id=artifact.thread_id, artifact_id=artifact.id, comment_id=comment.id
    ))  # fmt: skip
    assert desk.bodies() == [1]
    assert findings(ledger.path) == {}


def test_an_update_that_changes_nothing_answers_the_comment(
    ledger: Ledger, desk: Desk, bo: Identity, artifact: Artifact
) -> None:
    comment = desk.comment(bo, artifact)
    done = ledger.do(UpdateComment(
        identity=bo, thread_id=artifact.thread_id, artifact_id=artifact.id, comment_id=comment.id,
        content=comment.content, is_resolved=False,
    ))  # fmt: skip
    assert (done.result, done.events) == (comment, ())


def test_a_retry_makes_no_second_one(ledger: Ledger, desk: Desk, bo: Identity, artifact: Artifact) -> None:
    key = once()
    first = desk.comment(bo, artifact, once=key, anchor=ANCHOR)
    assert desk.comment(bo, artifact, once=key, anchor=ANCHOR) == first
    assert ledger.one("SELECT count(*) FROM notification WHERE comment_id IS NOT NULL") == 1


def test_a_deleted_artifact_has_nothing_of_them(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, artifact: Artifact
) -> None:
    first = desk.comment(bo, artifact, "@ana", anchor=ANCHOR)
    desk.comment(ana, artifact, parent_id=first.id)
    assert ledger.one("SELECT count(*) FROM notification WHERE comment_id IS NOT NULL") == 2
    desk.delete(ana, artifact)
    assert desk.bodies() == []
    assert ledger.one("SELECT count(*) FROM notification WHERE comment_id IS NOT NULL") == 0
    assert ledger.sql("SELECT DISTINCT content, anchor FROM artifact_comment") == [("", None)]
    assert findings(ledger.path) == {}


def test_a_deleted_thread_has_nothing_of_them(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, thread: Thread, artifact: Artifact
) -> None:
    first = desk.comment(bo, artifact, "@ana", anchor=ANCHOR)
    desk.comment(ana, artifact, parent_id=first.id)
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    ledger.sql("UPDATE thread SET deleted_at = 1 WHERE deleted_at IS NOT NULL")
    while ledger.do(commands.Purge(rows=3)).result == 3:
        pass
    assert ledger.one("SELECT count(*) FROM artifact_comment") == 0
    assert desk.bodies() == []


def test_erased_with_their_author(ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, artifact: Artifact) -> None:
    first = desk.comment(ana, artifact, "Kept", anchor=ANCHOR)
    desk.comment(bo, artifact, "A secret", anchor=ANCHOR)
    desk.comment(bo, artifact, "Another secret", parent_id=first.id)
    by_bo = ledger.ask(answer, ListCommentsBy(bo.user.id, limit=9, after=None))
    assert [one.content for one in by_bo.items] == ["A secret", "Another secret"]
    ledger.do(DeleteUser(identity=ledger.admin("root"), user_id=bo.user.id, content="remove"))
    step = EraseContent()
    while ledger.do(step).result == step.rows:
        pass
    found = ledger.ask(answer, ListComments(ana, artifact.id, limit=9, before=None))
    assert [one.content for one in found.comments.items] == ["", "", "Kept"]
    assert findings(ledger.path) == {}
