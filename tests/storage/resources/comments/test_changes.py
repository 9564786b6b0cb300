"""What a change of a comment does to it and to who is notified; other comments stay as they are."""

from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed, ValidationFailed
from actors.outcomes import Done
from actors.resources.artifacts.artifact import Artifact
from actors.resources.comments.anchors import Anchor
from actors.resources.comments.comment import AddComment, Comment, DeleteComment, UpdateComment
from actors.resources.threads import Thread, UpdateThread
from actors.resources.users import DeleteUser, EraseContent
from storage.journal import transaction
from tests.builders import Ledger
from tests.storage.resources.artifacts.desk import Desk
from tests.storage.test_integrity import findings

NOW = 1_900_000_000_000
ANCHOR = Anchor("", 0, 3, "one", "", " two")


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


@pytest.fixture
def artifact(desk: Desk, ana: Identity, thread: Thread) -> Artifact:
    return desk.create(ana, thread, "one two")


@pytest.fixture
def other(desk: Desk, bo: Identity, artifact: Artifact) -> Comment:
    return desk.comment(bo, artifact, "Another one", anchor=ANCHOR)


@pytest.fixture
def comment(desk: Desk, bo: Identity, other: Comment, artifact: Artifact) -> Comment:
    return desk.comment(bo, artifact, "Really?", anchor=ANCHOR)


def update(ledger: Ledger, who: Identity, comment: Comment, **more: Any) -> Done[Any]:
    about: Any = {"thread_id": comment.thread_id, "artifact_id": comment.artifact_id, "comment_id": comment.id}
    return ledger.do(UpdateComment(identity=who, **about, **more))


def delete(ledger: Ledger, who: Identity, comment: Comment, **more: Any) -> Done[Any]:
    about: Any = {"thread_id": comment.thread_id, "artifact_id": comment.artifact_id, "comment_id": comment.id}
    return ledger.do(DeleteComment(identity=who, **about, **more))


def row(ledger: Ledger, comment: Comment) -> tuple[Any, ...]:
    return tuple(ledger.sql("SELECT * FROM artifact_comment WHERE id = ?", comment.key)[0])


def told(done: Done[Any]) -> list[tuple[str, int]]:
    """(type, user) of what users' own logs say."""
    return [(event.type, event.user_key) for event in done.user_events]


def test_it_is_about_a_version_of_its_artifact(
    ledger: Ledger, desk: Desk, ana: Identity, thread: Thread, artifact: Artifact
) -> None:
    elsewhere = desk.create(ana, thread, "other")
    desk.revise(ana, elsewhere, "two versions")
    about: Any = {"identity": ana, "thread_id": thread.id, "artifact_id": artifact.id, "content": "x"}
    for base in (0, 2):
        with pytest.raises(NotFound, match="version"):
            ledger.do(AddComment(**about, comment_id=f"c{base}", base=base))
    desk.comment(ana, artifact)
    assert desk.bodies() == [1, 1, 1], "without an anchor it needs no content"
    anchored = desk.comment(ana, artifact, anchor=ANCHOR)
    assert desk.bodies() == [1, 1, 2]
    body = "SELECT body_id FROM artifact_version WHERE artifact_id = ? AND number = 1"
    assert ledger.one("SELECT base_body_id FROM artifact_comment WHERE id = ?", anchored.key) == ledger.one(
        body, artifact.key
    )


def test_an_artifact_has_room_for_so_many(
    desk: Desk, ana: Identity, artifact: Artifact, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COMMENTS_PER_ARTIFACT", 2)
    elsewhere = desk.create(ana, thread)
    desk.comment(ana, elsewhere)
    first, _ = desk.comment(ana, artifact), desk.comment(ana, artifact)
    with pytest.raises(Conflict) as refused:
        desk.comment(ana, artifact)
    assert refused.value.code == "comments_full"
    delete(desk.ledger, ana, first)
    desk.comment(ana, artifact)


def test_a_comment_has_room_for_so_many_replies(
    desk: Desk, ana: Identity, artifact: Artifact, comment: Comment, other: Comment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COMMENT_REPLIES", 2)
    desk.comment(ana, artifact, parent_id=other.id)
    first, _ = (desk.comment(ana, artifact, parent_id=comment.id) for _ in range(2))
    with pytest.raises(Conflict, match="2 replies") as refused:
        desk.comment(ana, artifact, parent_id=comment.id)
    assert refused.value.code == "comments_full"
    delete(desk.ledger, ana, first)
    assert desk.comment(ana, artifact, parent_id=comment.id).parent_id == comment.id


def test_what_takes_no_reply(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, thread: Thread, artifact: Artifact, comment: Comment
) -> None:
    reply = desk.comment(ana, artifact, parent_id=comment.id)
    with pytest.raises(ValidationFailed):
        desk.comment(ana, artifact, parent_id=reply.id)
    with pytest.raises(NotFound, match="comment"):
        desk.comment(ana, desk.create(ana, thread), parent_id=comment.id)
    delete(ledger, bo, comment)
    with pytest.raises(Conflict):
        desk.comment(ana, artifact, parent_id=comment.id)


def test_an_edit(
    ledger: Ledger, ana: Identity, bo: Identity, comment: Comment, other: Comment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    before = row(ledger, other)
    done = update(ledger, bo, comment, content="Really, @ana?", if_version=1)
    changed = done.result
    assert (changed.content, changed.version, changed.edited_at, changed.updated_at) == ("Really, @ana?", 2, NOW, NOW)
    assert (changed.resolver, changed.created_at, changed.anchor) == (None, comment.created_at, ANCHOR)
    assert [(event.type, event.data) for event in done.events] == [("comment.updated", changed)]
    assert told(done) == [("notification.cancelled", ana.user.key), ("notification.created", ana.user.key)]
    assert row(ledger, other) == before
    for who, more, error in ((bo, {"if_version": 1}, PreconditionFailed), (ana, {}, Forbidden)):
        with pytest.raises(error):
            update(ledger, who, comment, content="x", **more)
    again = update(ledger, bo, comment, content="Really, @ana?")
    assert (again.result, again.events, again.user_events) == (changed, (), ())


def test_a_comment_is_resolved_and_opened_again(
    ledger: Ledger, desk: Desk, ana: Identity, artifact: Artifact, comment: Comment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    done = update(ledger, ana, comment, is_resolved=True)
    assert (done.result.resolver, done.result.resolved_at, done.result.edited_at) == (ana.author, NOW, None)
    assert [event.type for event in done.events] == ["comment.updated"]
    assert done.user_events == ()
    again = update(ledger, ana, comment, is_resolved=True)
    assert (again.result, again.events) == (done.result, ())
    opened = update(ledger, ana, comment, is_resolved=False).result
    assert (opened.resolver, opened.resolved_at, opened.version) == (None, None, 3)
    reply = desk.comment(ana, artifact, parent_id=comment.id)
    with pytest.raises(ValidationFailed):
        update(ledger, ana, reply, is_resolved=True)


def test_a_deleted_comment_is_a_tombstone(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, thread: Thread, artifact: Artifact,
    comment: Comment, other: Comment, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    reply, before = desk.comment(ana, artifact, parent_id=comment.id), row(ledger, other)
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    assert desk.bodies() == [3]
    with pytest.raises(Forbidden):
        delete(ledger, bo, reply)
    with pytest.raises(PreconditionFailed):
        delete(ledger, bo, comment, if_version=2)
    done = delete(ledger, bo, comment, if_version=1)
    assert done.result.id == comment.id
    (event,) = done.events
    gone = event.data
    assert isinstance(gone, Comment)
    assert (event.type, gone.content, gone.anchor, gone.deleted_at, gone.updated_at, gone.version) == (
        "comment.deleted", "", None, NOW, NOW, 2
    )  # fmt: skip
    assert told(done) == [("notification.cancelled", ana.user.key)]
    assert desk.bodies() == [2]
    assert row(ledger, other) == before
    again = delete(ledger, bo, comment)
    assert (again.result, again.events) == (done.result, ())
    with pytest.raises(Conflict) as refused:
        update(ledger, bo, comment, content="x")
    assert refused.value.code == "comment_deleted"
    assert ledger.one("SELECT count(*) FROM audit WHERE action = 'delete_comment'") == 0
    assert findings(ledger.path) == {}


def test_the_audit_log_names_a_comment_that_another_deletes(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, comment: Comment, other: Comment
) -> None:
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED"))
    delete(ledger, ana, comment)
    noted = ledger.sql("SELECT actor_id, target_id, after FROM audit WHERE action = 'delete_comment'")
    facts = f'{{"author_id":"{bo.user.id}","comment_id":"{comment.id}"}}'
    assert noted == [(ana.user.id, comment.artifact_id, facts)]


def test_with_their_author_go_their_comments_in_bounded_steps(
    ledger: Ledger, desk: Desk, root: Identity, ana: Identity, bo: Identity, artifact: Artifact,
    comment: Comment, other: Comment, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(limits, "COMMENTS_ERASED", 1)
    kept = desk.comment(ana, artifact, "Kept", anchor=ANCHOR)
    before = row(ledger, kept)
    ledger.do(DeleteUser(identity=root, user_id=bo.user.id, content="remove"))
    steps: list[Any] = []
    cancelled: list[Any] = []
    while (done := ledger.do(EraseContent())).result:
        cancelled += [event.data for event in done.user_events if event.type == "notification.cancelled"]
        steps.append([event.data for event in done.events if event.type == "comment.deleted"])
        assert {event.thread_id for event in done.events} <= {artifact.thread_id}
    gone = [[each.id for each in step if isinstance(each, Comment)] for step in steps]
    assert [step for step in gone if step] == [[other.id], [comment.id]]
    assert [(each["thread_id"], each["reason"]) for each in cancelled] == [(artifact.thread_id, "deleted")] * 2
    assert row(ledger, kept) == before
    assert desk.bodies() == [2]
    assert findings(ledger.path) == {}
