"""Messages that are there: edited, deleted, and what they said before."""

from typing import Any

import pytest

from actors import commands, limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed, ValidationFailed
from actors.resources.members import RemoveMember, UpdateMember
from actors.resources.messages import DeleteMessage, EditMessage, Message
from actors.resources.reactions import React
from actors.resources.threads import UpdateThread
from storage.resources.log import reading as log
from storage.resources.messages import reading as messages
from storage.resources.threads import reading as threads
from tests.builders import Ledger
from tests.storage.resources.files.shelf import Shelf


def edit(who: Identity, message: Message, content: Any = commands.UNSET, **more: Any) -> EditMessage:
    return EditMessage(identity=who, thread_id=message.thread_id, message_id=message.id, content=content, **more)


def delete(who: Identity, message: Message, **more: Any) -> DeleteMessage:
    return DeleteMessage(identity=who, thread_id=message.thread_id, message_id=message.id, **more)


def test_an_edit(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    message = ledger.post(ana, thread, "before", metadata='{"k":1}')
    done = ledger.do(edit(ana, message, "after", if_version=1))
    edited = done.result
    assert isinstance(edited, Message)
    assert (edited.content, edited.version, edited.metadata) == ("after", 2, '{"k":1}')
    assert edited.edited_at is not None
    assert (edited.offset, edited.number, edited.created_at) == (message.offset, message.number, message.created_at)
    assert [(event.type, event.data) for event in done.events] == [("message.updated", edited)]
    assert ledger.ask(messages.one, ana, message.id) == edited


def test_only_what_is_given_changes(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    message = ledger.post(ana, ledger.thread(ana), "text", blocks="[1]", metadata='{"k":1}')
    ledger.do(edit(ana, message, blocks=None))
    ledger.do(edit(ana, message, metadata='{"k":2}'))
    now = ledger.ask(messages.one, ana, message.id)
    assert (now.content, now.blocks, now.metadata, now.version) == ("text", None, '{"k":2}', 3)


def test_an_edit_of_another_version_is_refused(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    message = ledger.post(ana, ledger.thread(ana), "1")
    ledger.do(edit(ana, message, "2"))
    before = ledger.dump()
    for version in (0, 1, 3):
        with pytest.raises(PreconditionFailed) as caught:
            ledger.do(edit(ana, message, "3", if_version=version))
        assert caught.value.data == {"expected": str(version), "actual": "2"}
        with pytest.raises(PreconditionFailed):
            ledger.do(delete(ana, message, if_version=version))
    assert ledger.dump() == before
    ledger.do(edit(ana, message, "3", if_version=2))


def test_an_edit_that_changes_nothing_is_no_event_and_no_revision(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    message = ledger.post(ana, ledger.thread(ana), "same")
    before = ledger.dump()
    done = ledger.do(edit(ana, message, "same"))
    assert done.events == ()
    assert done.result == message
    assert ledger.dump() == before


def test_what_a_message_said_before(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    message = ledger.post(ana, ledger.thread(ana), "one", blocks="[1]", metadata='{"k":1}')
    ledger.do(edit(ana, message, "two", blocks=None))
    ledger.do(edit(ana, message, "three", metadata="{}"))
    now = ledger.ask(messages.one, ana, message.id)
    revisions = ledger.ask(messages.revisions, ana, message.id).items
    assert (now.content, now.version) == ("three", 3)
    assert [(r.version, r.content, r.blocks, r.metadata) for r in revisions] == [
        (2, "two", None, '{"k":1}'),
        (1, "one", "[1]", '{"k":1}'),
    ]
    assert {r.edited_by for r in revisions} == {ana.author}


def test_a_message_that_was_never_edited_has_no_revisions(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    message = ledger.post(ana, ledger.thread(ana))
    assert ledger.ask(messages.revisions, ana, message.id).items == ()


def test_only_the_newest_revisions_are_kept(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REVISIONS_KEPT", 3)
    ana = ledger.user("ana")
    message = ledger.post(ana, ledger.thread(ana), "1")
    for n in range(2, 8):
        ledger.do(edit(ana, message, f"{n}"))
    revisions = ledger.ask(messages.revisions, ana, message.id).items
    assert [r.content for r in revisions] == ["6", "5", "4"]


def test_who_may_edit(ledger: Ledger) -> None:
    ana, bo, root, stranger = ledger.user("ana"), ledger.user("bo"), ledger.admin("root"), ledger.user("stranger")
    thread = ledger.thread(ana, bo)
    message = ledger.post(bo, thread)
    for who, error in ((ana, Forbidden), (root, Forbidden), (stranger, NotFound)):
        before = ledger.dump()
        with pytest.raises(error):
            ledger.do(edit(who, message, "not mine"))
        assert ledger.dump() == before
    ledger.do(UpdateMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, role="VIEWER"))
    with pytest.raises(Forbidden):
        ledger.do(edit(bo, message, "no more"))


def test_no_edits_in_a_closed_thread(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    message = ledger.post(ana, thread)
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED"))
    with pytest.raises(Conflict) as caught:
        ledger.do(edit(ana, message, "too late"))
    assert caught.value.code == "thread_closed"


def test_a_message_is_found_only_by_its_own_thread(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    here, there = ledger.thread(ana), ledger.thread(ana)
    message = ledger.post(ana, here)
    wrong: dict[str, Any] = {"identity": ana, "thread_id": there.id, "message_id": message.id}
    for attempt in (
        EditMessage(**wrong, content="x"),
        DeleteMessage(**wrong),
        React(**wrong, emoji="👍"),
    ):
        with pytest.raises(NotFound):
            ledger.do(attempt)


def test_a_deleted_message_leaves_a_tombstone_and_nothing_of_what_it_said(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    message = ledger.post(ana, thread, "secret one", blocks='["secret two"]', metadata='{"s":"secret three"}')
    ledger.do(edit(ana, message, "secret four"))
    ledger.do(React(identity=bo, thread_id=thread.id, message_id=message.id, emoji="👍"))
    done = ledger.do(delete(ana, message))
    tombstone = done.result
    assert isinstance(tombstone, Message)
    assert (tombstone.content, tombstone.blocks, tombstone.metadata, tombstone.reactions) == ("", None, "{}", ())
    assert (tombstone.id, tombstone.offset, tombstone.author) == (message.id, message.offset, ana.author)
    assert (tombstone.version, tombstone.deleted_at is not None) == (3, True)
    assert [(event.type, event.data) for event in done.events] == [("message.deleted", tombstone)]
    assert "secret" not in repr(ledger.dump())
    everything = (
        ledger.ask(messages.page, bo, thread.id, limit=9),
        ledger.ask(messages.one, bo, message.id),
        ledger.ask(messages.revisions, bo, message.id),
        ledger.ask(log.after_offset, bo, thread.id, 0, limit=99),
        ledger.ask(threads.one, bo, thread.id),
    )
    assert "secret" not in repr(everything)
    assert ledger.ask(messages.revisions, bo, message.id).items == ()
    assert ledger.ask(messages.reactions, bo, message.id, limit=9, after=None).items == ()


def test_a_tombstone_is_left_alone(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    message = ledger.post(ana, thread)
    ledger.do(delete(ana, message))
    before = ledger.dump()
    react = React(identity=ana, thread_id=thread.id, message_id=message.id, emoji="👍")
    for attempt in (edit(ana, message, "back"), delete(ana, message), react):
        with pytest.raises(Conflict) as caught:
            ledger.do(attempt)
        assert caught.value.code == "message_deleted"
    assert ledger.dump() == before


def test_who_may_delete(ledger: Ledger) -> None:
    ana, bo, cy, root = ledger.user("ana"), ledger.user("bo"), ledger.user("cy"), ledger.admin("root")
    thread = ledger.thread(ana, bo, cy)
    sent = [ledger.post(bo, thread) for _ in range(4)]
    with pytest.raises(Forbidden):
        ledger.do(delete(cy, sent[0]))
    for who, message in zip((bo, ana, root), sent, strict=False):
        ledger.do(delete(who, message))
    ledger.do(RemoveMember(identity=bo, thread_id=thread.id, user_id=bo.user.id))
    with pytest.raises(NotFound):
        ledger.do(delete(bo, sent[3]))


def test_a_tombstone_still_counts(ledger: Ledger) -> None:
    """Numbers are places, not a census: they never move once they were told."""
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.do(delete(ana, ledger.post(ana, thread)))
    assert ledger.post(ana, thread).number == 2
    assert ledger.ask(threads.one, ana, thread.id).message_count == 2


def test_others_stay_as_they_are(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    other, message = ledger.post(ana, thread, "other"), ledger.post(ana, thread, "one")
    for each in (other, message):
        ledger.do(edit(ana, each, "edited"))
        ledger.do(React(identity=bo, thread_id=thread.id, message_id=each.id, emoji="👍"))

    def rows() -> list[list[Any]]:
        of = ("message WHERE id", "message_revision WHERE message_id", "reaction WHERE message_id")
        return [ledger.sql(f"SELECT * FROM {where} = ?", other.key) for where in of]

    before = rows()
    ledger.do(edit(ana, message, "again"))
    ledger.do(delete(ana, message))
    assert rows() == before


def test_a_reaction_is_ones_own_in_the_answer_and_nobodys_in_the_log(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    message = ledger.post(ana, thread)
    for who in (ana, bo):
        ledger.do(React(identity=who, thread_id=thread.id, message_id=message.id, emoji="👍"))
    done = ledger.do(edit(ana, message, "edited"))
    (shown,) = (event.data for event in done.events)
    assert isinstance(shown, Message)
    assert [group.reacted_by_me for group in done.result.reactions] == [True]
    assert [(group.emoji, group.count, group.reacted_by_me) for group in shown.reactions] == [("👍", 2, False)]


def test_only_an_administrators_deletion_is_audited(ledger: Ledger) -> None:
    ana, bo, root = ledger.user("ana"), ledger.user("bo"), ledger.admin("root")
    thread = ledger.thread(ana, bo, root)
    own, by_owner, by_root, of_root = (ledger.post(who, thread) for who in (bo, bo, bo, root))
    for who, message in ((bo, own), (ana, by_owner), (root, by_root), (root, of_root)):
        ledger.do(delete(who, message))
    facts = f'{{"author_id":"{bo.user.id}","message_id":"{by_root.id}"}}'
    noted = ledger.sql("SELECT actor_id, target_id, before FROM audit WHERE action = 'delete_message'")
    assert noted == [(root.user.id, thread.id, facts)]


def test_an_edit_that_takes_all_away(ledger: Ledger) -> None:
    """What is left has to say something."""
    ana = ledger.user("ana")
    message = ledger.post(ana, ledger.thread(ana), "text", blocks="[1]")
    assert ledger.do(edit(ana, message, "")).result.blocks == "[1]"
    for blocks in (None, "[]"):
        with pytest.raises(ValidationFailed):
            ledger.do(edit(ana, message, blocks=blocks))
    assert ledger.do(edit(ana, message, "text", blocks="[]")).result.content == "text"
    with pytest.raises(ValidationFailed):
        ledger.do(edit(ana, message, " "))


def test_an_edit_shows_other_files(ledger: Ledger, shelf: Shelf) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    first, second, theirs = shelf.add(ana, name="a"), shelf.add(ana, name="b"), shelf.add(bo, name="c")
    message = ledger.post(ana, thread, "", file_ids=(first.id,))
    done = ledger.do(edit(ana, message, file_ids=(first.id, second.id)))
    assert [file.name for file in done.result.files] == ["a", "b"]
    assert [event.type for event in done.events] == ["file.attached", "message.updated"]
    assert done.result.version == 2
    again = ledger.do(edit(ana, message, file_ids=(first.id, second.id)))
    assert (again.result, again.events) == (done.result, ())
    before = ledger.dump()
    with pytest.raises(NotFound):
        ledger.do(edit(ana, message, file_ids=(theirs.id,)))
    with pytest.raises(ValidationFailed):
        ledger.do(edit(ana, message, file_ids=()))
    assert ledger.dump() == before
    assert ledger.do(edit(ana, message, "words", file_ids=())).result.files == ()


def test_an_edited_answer_still_answers_unless_that_was_deleted(ledger: Ledger) -> None:
    """Whom it names no more, it may answer."""
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    kinds = "SELECT kind FROM notification WHERE message_id = ?"
    for is_deleted, expected in ((False, [("reply",)]), (True, [])):
        parent = ledger.post(bo, thread)
        ledger.post(ana, thread)
        message = ledger.post(ana, thread, "@bo, yes", parent_id=parent.id)
        assert ledger.sql(kinds, message.key) == [("mention",)]
        if is_deleted:
            ledger.do(delete(bo, parent))
        ledger.do(edit(ana, message, "yes"))
        assert ledger.sql(kinds, message.key) == expected


def test_what_is_streamed_is_not_edited(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    message = ledger.post(ana, ledger.thread(ana), "", status="STREAMING")
    with pytest.raises(Conflict) as caught:
        ledger.do(edit(ana, message, "x"))
    assert caught.value.code == "message_streaming"
    assert ledger.do(delete(ana, message)).result.status == "INTERRUPTED"


def test_one_that_was_stopped_is_edited_and_notifies_nobody(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    message = ledger.post(ana, ledger.thread(ana, bo), "@bo, I", status="INTERRUPTED")
    done = ledger.do(edit(ana, message, "@bo, I was"))
    assert [event for event in done.user_events if event.type.startswith("notification.")] == []
