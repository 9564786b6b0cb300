"""New messages: where they stand in the log, who may write them, and that a retry is the same request."""

from typing import Any

import pytest

from actors.errors import Conflict, Forbidden, KeyReused, NotFound, XpError
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.members import AddMember, MarkRead, RemoveMember, UpdateMember
from actors.resources.messages import DeleteMessage, EditMessage, Message
from actors.resources.reactions import React
from actors.resources.threads import CreateThread, DeleteThread, UpdateThread
from actors.resources.users import CreateUser, DeleteUser, UpdateUser
from storage.resources.log import reading as log
from storage.resources.messages import reading as messages
from tests.builders import Ledger, once, post


def result(outcome: Done | XpError) -> Any:
    assert isinstance(outcome, Done), outcome
    return outcome.result


def refusal(outcome: Done | XpError) -> XpError:
    assert isinstance(outcome, XpError), outcome
    return outcome


# Where they stand


def test_what_a_post_answers(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    done = ledger.do(post(ana, thread, "hello", message_id="m", blocks='[{"a":1}]', metadata='{"k":2}', type="TOOL"))
    message = done.result
    assert isinstance(message, Message)
    assert (message.id, message.thread_id, message.content, message.type) == ("m", thread.id, "hello", "TOOL")
    assert (message.blocks, message.metadata, message.status) == ('[{"a":1}]', '{"k":2}', "COMPLETE")
    assert (message.offset, message.number, message.version) == (2, 1, 1)  # 1 is thread.created
    assert message.author == ana.author
    (event,) = done.events
    assert (event.type, event.offset, event.thread_id, event.actor) == ("message.created", 2, thread.id, ana.author)
    assert event.data == message
    assert ledger.ask(messages.one, ana, "m") == message


def test_offsets_have_no_gap_and_positions_are_one_order_over_all_threads(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    a, b = ledger.thread(ana), ledger.thread(ana)
    outcomes = ledger.apply(*(post(ana, thread) for thread in (a, b, a, a, b, a)))
    events = [event for outcome in outcomes if isinstance(outcome, Done) for event in outcome.events]
    assert [(e.thread_id, e.offset) for e in events] == [
        (a.id, 2),
        (b.id, 2),
        (a.id, 3),
        (a.id, 4),
        (b.id, 3),
        (a.id, 5),
    ]
    assert [e.position for e in events] == [3, 4, 5, 6, 7, 8]
    assert [result(o).number for o in outcomes] == [1, 1, 2, 3, 2, 4]
    assert ledger.sql("SELECT position FROM event ORDER BY position") == [(n,) for n in range(1, 9)]
    assert ledger.one("SELECT position FROM log_head") == 8
    for thread, offsets in ((a, [1, 2, 3, 4, 5]), (b, [1, 2, 3])):
        page = ledger.ask(log.after_offset, ana, thread.id, 0, limit=100)
        assert [e.offset for e in page.events] == offsets
        assert page.head == offsets[-1]


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 129])
def test_batches_around_the_size_of_a_statement(ledger: Ledger, count: int) -> None:
    ana = ledger.user("ana")
    threads = [ledger.thread(ana) for _ in range(3)]
    outcomes = ledger.apply(*(post(ana, threads[n % 3], f"{n}") for n in range(count)))
    assert [result(outcome).content for outcome in outcomes] == [f"{n}" for n in range(count)]
    for number, thread in enumerate(threads):
        mine = range(number, count, 3)
        page = ledger.ask(messages.page, ana, thread.id, limit=200, after="0")
        assert [m.content for m in page.items] == [f"{n}" for n in mine]
        assert [m.number for m in page.items] == list(range(1, len(mine) + 1))


def test_many_threads_and_authors_in_one_batch(ledger: Ledger) -> None:
    people = [ledger.user(f"p{n}") for n in range(9)]
    threads = [ledger.thread(people[0], *people[1:]) for _ in range(9)]
    pairs = [(who, thread) for who in people for thread in threads]
    outcomes = ledger.apply(*(post(who, thread, f"{who.user.name}") for who, thread in pairs))
    for (who, thread), outcome in zip(pairs, outcomes, strict=True):
        message = result(outcome)
        assert (message.author, message.thread_id) == (who.author, thread.id)
        assert ledger.member(who, thread).last_read_offset == message.offset
    assert ledger.sql("SELECT DISTINCT message_count FROM thread") == [(9,)]


def test_the_counters_of_the_thread_follow(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.apply(post(ana, thread), post(ana, thread, message_id="last"))
    row = ledger.sql("SELECT message_count, offset, position, last_message FROM thread")
    assert row == [(2, 3, 3, ledger.one("SELECT id FROM message WHERE uid = 'last'"))]


def test_everything_is_there_after_reopening(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.post(ana, thread, "one")
    before, epoch = ledger.dump(), ledger.store.epoch
    ledger.reopen()
    assert ledger.dump() == before
    assert ledger.store.epoch == epoch
    message = ledger.post(ana, thread, "two")
    assert (message.offset, message.number) == (3, 2)
    assert ledger.one("SELECT max(position) FROM event") == 3


def test_an_author_has_read_what_they_wrote(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    ledger.apply(post(ana, thread), post(bo, thread), post(ana, thread))
    head = ledger.one("SELECT offset FROM thread")
    assert (ledger.member(ana, thread).last_read_offset, ledger.member(ana, thread).last_read_number) == (head, 3)
    assert (ledger.member(bo, thread).last_read_offset, ledger.member(bo, thread).last_read_number) == (head - 1, 2)


# Who may


def test_one_bad_command_in_a_batch_fails_alone_and_takes_no_offset(ledger: Ledger) -> None:
    ana, stranger, viewer = ledger.user("ana"), ledger.user("stranger"), ledger.user("viewer")
    thread = ledger.thread(ana, (viewer, "VIEWER"))
    outcomes = ledger.apply(
        post(ana, thread, "one"),
        post(stranger, thread),
        post(viewer, thread),
        post(ana, new_id()),
        post(ana, thread, parent_id="nothing"),
        post(ana, thread, "two"),
    )
    assert [type(outcome) for outcome in outcomes] == [Done, NotFound, Forbidden, NotFound, NotFound, Done]
    assert refusal(outcomes[2]).code == "not_a_writer"
    assert [result(outcomes[n]).offset for n in (0, 5)] == [3, 4]
    assert ledger.sql("SELECT position FROM event ORDER BY position") == [(1,), (2,), (3,), (4,)]
    assert ledger.one("SELECT message_count FROM thread") == 2


def test_an_admin_who_is_no_member_does_not_write(ledger: Ledger) -> None:
    ana, root = ledger.user("ana"), ledger.admin("root")
    thread = ledger.thread(ana)
    with pytest.raises(Forbidden, match="you are not a member") as caught:
        ledger.post(root, thread)
    assert caught.value.code == "not_a_writer"


def test_a_refusal_leaves_no_trace(ledger: Ledger) -> None:
    ana, stranger = ledger.user("ana"), ledger.user("stranger")
    thread = ledger.thread(ana)
    before = ledger.dump()
    for bad in (post(stranger, thread), post(ana, new_id()), post(ana, thread, parent_id="nothing", once=once())):
        with pytest.raises(NotFound):
            ledger.do(bad)
    assert ledger.dump() == before


def test_a_closed_thread_takes_no_messages_until_it_is_open_again(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED"))
    with pytest.raises(Conflict) as caught:
        ledger.post(ana, thread)
    assert caught.value.code == "thread_closed"
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, status="ARCHIVED"))
    assert ledger.post(ana, thread).number == 1


def test_a_batch_that_closes_the_thread_in_between(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    close = UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED")
    outcomes = ledger.apply(post(ana, thread), close, post(ana, thread))
    assert [type(outcome) for outcome in outcomes] == [Done, Done, Conflict]


def test_a_deleted_thread_takes_no_messages(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    with pytest.raises(NotFound):
        ledger.post(ana, thread)


# Ids and replies


def test_an_id_that_is_taken(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread, other = ledger.thread(ana), ledger.thread(ana)
    ledger.post(ana, thread, message_id="mine")
    outcomes = ledger.apply(post(ana, other, message_id="mine"), post(ana, other, "fine"))
    assert refusal(outcomes[0]).code == "id_taken"
    assert isinstance(outcomes[0], Conflict)
    assert result(outcomes[1]).number == 1


def test_one_id_twice_in_a_batch(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    first, second = ledger.apply(post(ana, thread, "a", message_id="m"), post(ana, thread, "b", message_id="m"))
    assert result(first).content == "a"
    assert refusal(second).code == "id_taken"


def test_a_reply_names_its_parent(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    parent = ledger.post(ana, thread)
    reply = ledger.post(ana, thread, parent_id=parent.id)
    assert reply.parent_id == parent.id
    assert ledger.ask(messages.one, ana, reply.id) == reply
    (event,) = ledger.ask(log.after_offset, ana, thread.id, reply.offset - 1, limit=1).events
    assert event.data == reply


def test_a_reply_to_what_was_posted_in_the_same_batch(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    first, second = ledger.apply(post(ana, thread, message_id="p"), post(ana, thread, parent_id="p"))
    assert result(second).parent_id == result(first).id


def test_a_reply_keeps_its_parent_when_that_is_deleted(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    parent = ledger.post(ana, thread)
    reply = ledger.post(ana, thread, parent_id=parent.id)
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=parent.id))
    assert ledger.ask(messages.one, ana, reply.id).parent_id == parent.id


def test_a_parent_in_another_thread_is_refused(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    here, there = ledger.thread(ana), ledger.thread(ana)
    parent = ledger.post(ana, there)
    with pytest.raises(NotFound, match=parent.id):
        ledger.post(ana, here, parent_id=parent.id)


@pytest.mark.parametrize("turn", [1, -1])
def test_a_parent_in_another_thread_is_refused_beside_a_good_reply_to_it(ledger: Ledger, turn: int) -> None:
    """Both name the same parent in one batch: what is right for one is not for the other."""
    ana = ledger.user("ana")
    here, there = ledger.thread(ana), ledger.thread(ana)
    parent = ledger.post(ana, there)
    batch = [post(ana, here, "bad", parent_id=parent.id), post(ana, there, "good", parent_id=parent.id)]
    told = {c.content: outcome for c, outcome in zip(batch[::turn], ledger.apply(*batch[::turn]), strict=True)}
    assert isinstance(told["bad"], NotFound)
    assert result(told["good"]).parent_id == parent.id
    assert ledger.one("SELECT count(*) FROM message") == 2


# The same request once more


def test_a_retry_is_the_same_message(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    first = ledger.do(post(ana, thread, "hello", once=once()))
    before = ledger.dump()
    again = ledger.do(post(ana, thread, "hello", once=once()))
    assert again.result == first.result
    assert (first.replayed, again.replayed) == (False, True)
    assert again.events == ()
    assert ledger.dump() == before


def test_a_retry_in_the_same_batch(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    first, again = ledger.apply(post(ana, thread, once=once()), post(ana, thread, once=once()))
    assert result(first) == result(again)
    assert ledger.one("SELECT message_count FROM thread") == 1


def test_a_retry_after_reopening(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    first = ledger.do(post(ana, thread, once=once()))
    ledger.reopen()
    again = ledger.do(post(ana, thread, once=once()))
    assert again.replayed
    assert again.result == first.result


def test_another_request_under_the_same_key(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.do(post(ana, thread, once=once()))
    before = ledger.dump()
    with pytest.raises(KeyReused, match="key-1"):
        ledger.do(post(ana, thread, once=once(fingerprint="request-2")))
    assert ledger.dump() == before


def test_keys_are_each_users_own(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    ledger.do(post(ana, thread, "by ana", once=once()))
    assert result(ledger.apply(post(bo, thread, "by bo", once=once(fingerprint="other")))[0]).content == "by bo"


def test_a_refused_request_does_not_use_up_its_key(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    close = UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED")
    ledger.do(close)
    with pytest.raises(Conflict):
        ledger.do(post(ana, thread, once=once()))
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, status="ACTIVE"))
    assert not ledger.do(post(ana, thread, once=once())).replayed


def test_a_retry_tells_the_message_as_it_is_now(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    message = result(ledger.apply(post(ana, thread, "secret", once=once()))[0])
    ledger.do(EditMessage(identity=ana, thread_id=thread.id, message_id=message.id, content="edited"))
    assert result(ledger.apply(post(ana, thread, "secret", once=once()))[0]).content == "edited"
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=message.id))
    tombstone = result(ledger.apply(post(ana, thread, "secret", once=once()))[0])
    assert (tombstone.content, tombstone.deleted_at is None) == ("", False)


def test_every_kind_of_answer_is_replayed(ledger: Ledger) -> None:
    root, ana = ledger.admin("root"), ledger.user("ana")
    thread = ledger.thread(root)
    message = ledger.post(root, thread)
    there: dict[str, Any] = {"identity": root, "thread_id": thread.id}
    requests: list[Any] = [
        CreateUser(identity=root, email="new@example.com", name="New", once=once("create user")),
        UpdateUser(identity=root, user_id=ana.user.id, name="Ana", once=once("update user")),
        CreateThread(identity=root, title="New", once=once("create thread")),
        UpdateThread(**there, title="Title", once=once("update thread")),
        AddMember(**there, user_id=ana.user.id, once=once("add")),
        UpdateMember(**there, user_id=ana.user.id, role="VIEWER", once=once("update member")),
        MarkRead(**there, once=once("read")),
        EditMessage(**there, message_id=message.id, content="edited", once=once("edit")),
        React(**there, message_id=message.id, emoji="👍", once=once("react")),
        DeleteMessage(**there, message_id=message.id, once=once("delete message")),
    ]
    first = [ledger.do(request).result for request in requests]
    before = ledger.dump()
    for request, answer in zip(requests, first, strict=True):
        again = ledger.do(request)
        assert again.replayed, request
        assert again.events == ()
        assert type(again.result) is type(answer)
    assert ledger.dump() == before
    gone = [
        RemoveMember(**there, user_id=ana.user.id, once=once("remove")),
        DeleteThread(**there, once=once("delete thread")),
        DeleteUser(identity=root, user_id=ana.user.id, once=once("delete user")),
    ]
    for request in gone:
        assert ledger.do(request).result == ledger.do(request).result


def test_a_reaction_is_replayed_as_what_it_did_then(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    message = ledger.post(ana, thread)
    toggle = React(identity=ana, thread_id=thread.id, message_id=message.id, emoji="👍", once=once())
    assert result(ledger.apply(toggle)[0]).added
    again = result(ledger.apply(toggle)[0])
    assert (again.added, again.changed) == (True, True)
    assert [group.emoji for group in again.message.reactions] == ["👍"]


def test_a_retry_about_what_is_gone_by_now(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    create = CreateThread(identity=ana, title="T", once=once())
    thread = result(ledger.apply(create)[0])
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    with pytest.raises(NotFound):
        ledger.do(create)
