"""The thread actor over a real store: who may write and read along, and what subscribers get in which order."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pykka
import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.commands import ThreadCommand
from actors.delivery.channel import AccessEnded, ListPresent, Subscribe, Unsubscribe
from actors.delivery.publication import Publications
from actors.errors import Conflict, Forbidden, Internal, NotFound, Overloaded, StorageUnavailable
from actors.events import Event
from actors.identifiers import new_id
from actors.resources.acknowledgements import Acknowledge
from actors.resources.actions import Act, AnswerAction, Checked, Subject
from actors.resources.artifact_streams import AppendToArtifact, FinishArtifactStream, OpenArtifactStream
from actors.resources.artifacts import contents
from actors.resources.artifacts.commands import (
    CreateArtifact,
    CutVersion,
    DeleteArtifact,
    RestoreArtifact,
    ReviseArtifact,
)
from actors.resources.artifacts.data_sets import AppendData, DeleteData, ReplaceData
from actors.resources.comments.comment import AddComment, DeleteComment, UpdateComment
from actors.resources.files.uploads import FILE_PROGRESS, UploadProgress
from actors.resources.members import AddMember, MarkRead, RemoveMember, UpdateMember
from actors.resources.memory import ReplaceMemory, UpdateMemory
from actors.resources.message_streams import FinishMessage
from actors.resources.messages import AskToAcknowledge, DeleteMessage, EditMessage, Message
from actors.resources.notifications import MarkUnread
from actors.resources.proposals.proposal import AcceptProposal, CloseProposal, Propose
from actors.resources.reactions import React
from actors.resources.threads import CreateThread, DeleteThread, HandOver, Thread, UpdateThread
from actors.resources.users import DeleteUser
from actors.runtime.loop_actor import Stage
from actors.threads.inbox import EventsCommitted, RetireIfIdle, TellEphemeral
from actors.threads.state import ThreadState
from tests.actors.house import House
from tests.builders import identity, message_event, once, post, settle, until
from tests.declared import declared

pytestmark = pytest.mark.usefixtures("few_and_crowd")

BUTTON = json.dumps([{
    "type": "actions", "block_id": "b",
    "elements": [{"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}}],
}])  # fmt: skip


@pytest.fixture
async def ana(house: House) -> Identity:
    return await house.user("ana")


@pytest.fixture
async def bo(house: House) -> Identity:
    return await house.user("bo")


# Writing


async def test_a_post_is_answered_once_it_is_committed(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    message = await house.post(ana, thread, "hello")
    other = sqlite3.connect(house.path)
    assert other.execute("SELECT content FROM message").fetchall() == [("hello",)]
    other.close()
    assert (message.offset, message.number) == (2, 1)


async def test_posts_of_one_turn_keep_their_order(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    replies = [house.directory.ask(post(ana, thread, f"{n}")) for n in range(50)]
    told = [(await reply).result for reply in replies]
    assert [(m.content, m.number, m.offset) for m in told] == [(f"{n}", n + 1, n + 2) for n in range(50)]


def click(who: Identity, message: Message) -> Act:
    checked = Checked(mark=message.blocks or "", kind="button", value="null", state="{}")
    return Act(
        identity=who, thread_id=message.thread_id, subject=Subject("message", message.id), block_id="b",
        action_id="yes", checked=checked,
    )  # fmt: skip


async def test_every_command_reaches_the_store(house: House, ana: Identity, bo: Identity) -> None:
    cy = await house.user("cy")
    thread = await house.thread(ana, cy)
    there: dict[str, Any] = {"identity": ana, "thread_id": thread.id}
    artifact: dict[str, Any] = {**there, "artifact_id": new_id()}
    data: dict[str, Any] = {**artifact, "name": "sales"}
    asked = await house.post(ana, thread, blocks=BUTTON)
    watcher = await house.watch(ana, thread)
    acted = (await house.do(click(cy, asked))).result
    steps: list[tuple[ThreadCommand, str]] = [
        (AddMember(**there, user_id=bo.user.id), "member.added"),
        (UpdateMember(**there, user_id=bo.user.id, role="VIEWER"), "member.updated"),
        (UpdateThread(**there, title="New"), "thread.updated"),
        (HandOver(**there, control="human"), "control.changed"),
        (post(ana, thread, message_id="m"), "message.created"),
        (EditMessage(**there, message_id="m", content="edited"), "message.updated"),
        (React(**there, message_id="m", emoji="👍"), "reaction.added"),
        (MarkRead(identity=bo, thread_id=thread.id), "read.updated"),
        (MarkUnread(identity=bo, thread_id=thread.id, offset=1), "read.updated"),
        (DeleteMessage(**there, message_id="m"), "message.deleted"),
        (post(ana, thread, message_id="k", acknowledgement=AskToAcknowledge()), "message.created"),
        (Acknowledge(identity=cy, thread_id=thread.id, message_id="k"), "message.acknowledged"),
        (RemoveMember(**there, user_id=bo.user.id), "member.removed"),
        (ReplaceMemory(**there, memory='{"summary":"s"}'), "memory.updated"),
        (UpdateMemory(**there, patch='{"summary":"t"}'), "memory.updated"),
        (post(ana, thread, message_id="s", status="STREAMING"), "message.created"),
        (FinishMessage(**there, message_id="s", status="COMPLETE", content="whole"), "message.completed"),
        (AnswerAction(**there, action_id=acted.id, status="done", content="answered"), "message.updated"),
        (CreateArtifact(**artifact, type="REPORT", title="A report", content=contents.packed("REPORT", "x")),
            "artifact.created"),
        (ReviseArtifact(**artifact, change="patched", title="Another"), "artifact.updated"),
        (RestoreArtifact(**artifact, number=1, words=contents.words("x")), "artifact.updated"),
        (ReplaceData(**data, columns=("n",), rows=("[1]",)), "artifact.data_updated"),
        (AppendData(**data, rows=("[2]",), width=1), "artifact.data_updated"),
        (DeleteData(**data), "artifact.data_updated"),
        (Propose(**artifact, proposal_id="p", base=1, patch="[]", hunks="[]", count=1), "proposal.created"),
        (AcceptProposal(**artifact, proposal_id="p", accepted=(0,), newest=3, content=contents.packed("REPORT", "x")),
            "proposal.updated"),
        (Propose(**artifact, proposal_id="q", base=1, patch="[]", hunks="[]", count=1), "proposal.created"),
        (CloseProposal(**artifact, proposal_id="q", outcome="rejected"), "proposal.updated"),
        (AddComment(**artifact, comment_id="c", content="Really?", base=1), "comment.created"),
        (UpdateComment(**artifact, comment_id="c", is_resolved=True), "comment.updated"),
        (DeleteComment(**artifact, comment_id="c"), "comment.deleted"),
        (OpenArtifactStream(**artifact, stream_id="s", pointer="", base=3), "artifact.stream_started"),
        (FinishArtifactStream(**artifact, stream_id="s", status="COMPLETE", newest=3, length=0, content=None),
            "artifact.stream_ended"),
        (DeleteArtifact(**artifact), "artifact.deleted"),
        (DeleteThread(**there), "thread.deleted"),
    ]  # fmt: skip
    assert {type(command) for command, _ in steps} == declared(ThreadCommand) - {AppendToArtifact, Act, CutVersion}, (
        "text that streams is not on disk, an action is in the logs of its users, and a version of edits is written "
        "past the thread, which their author may have left"
    )
    for command, _ in steps:
        await house.do(command)
    await until(lambda: len(watcher.lines) > len(steps))
    assert watcher.lines == [
        *(f"{offset} {event}" for offset, (_, event) in enumerate(steps, asked.offset + 1)),
        f"ended thread:{thread.id}",
    ]  # fmt: skip


async def test_a_retry_is_answered_the_same_and_told_to_nobody(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    watcher = await house.watch(ana, thread)
    first = await house.do(post(ana, thread, once=once()))
    again = await house.do(post(ana, thread, once=once()))
    assert again.result == first.result
    assert again.replayed
    await house.post(ana, thread)
    await until(lambda: len(watcher.offsets) == 2)
    assert watcher.offsets == [2, 3]


@pytest.mark.parametrize("status", ["CLOSED", "ACTIVE"])
async def test_who_may_not_post(house: House, ana: Identity, bo: Identity, status: Any) -> None:
    root, stranger = await house.user("root", role="ADMIN"), await house.user("stranger")
    thread = await house.thread(ana, (bo, "VIEWER"))
    await house.do(UpdateThread(identity=ana, thread_id=thread.id, status=status))
    with pytest.raises(NotFound):
        await house.post(stranger, thread)
    for who in (bo, root):
        with pytest.raises(Forbidden) as caught:
            await house.post(who, thread)
        assert caught.value.code == "not_a_writer"
    if status == "CLOSED":
        with pytest.raises(Conflict) as closed:
            await house.post(ana, thread)
        assert closed.value.code == "thread_closed"
    else:
        assert (await house.post(ana, thread)).number == 1


async def test_what_is_refused_by_what_is_known_reaches_no_journal(house: House, ana: Identity, bo: Identity) -> None:
    thread = await house.thread(ana, (bo, "VIEWER"))
    batches = house.journal.batches
    with pytest.raises(Forbidden):
        await house.post(bo, thread)
    with pytest.raises(NotFound):
        await house.do(MarkRead(identity=identity(77), thread_id=thread.id))
    with pytest.raises(NotFound):
        await house.do(post(identity(77), thread, once=once()))
    assert house.journal.batches == batches


async def test_messages_for_the_application(house: House, ana: Identity) -> None:
    bot = await house.user("bot", kind="ASSISTANT")
    thread = await house.thread(ana, bot)
    with pytest.raises(Forbidden, match="SYSTEM"):
        await house.post(ana, thread, type="SYSTEM")
    assert (await house.post(bot, thread, type="SYSTEM")).type == "SYSTEM"


async def test_a_role_that_was_given_or_taken_holds_for_the_next_command(
    house: House, ana: Identity, bo: Identity
) -> None:
    thread = await house.thread(ana)
    with pytest.raises(NotFound):
        await house.post(bo, thread)
    await house.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    await house.post(bo, thread)
    await house.do(UpdateMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, role="VIEWER"))
    with pytest.raises(Forbidden):
        await house.post(bo, thread)
    await house.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    with pytest.raises(NotFound):
        await house.post(bo, thread)


async def test_a_command_that_was_let_through_too_early_is_refused_in_the_transaction(
    house: House, ana: Identity, bo: Identity
) -> None:
    """The actor has not seen the removal yet: both are in one turn."""
    thread = await house.thread(ana, bo)
    await house.load_actor(thread)
    removal = house.directory.ask(
        RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id)
    )  # fmt: skip
    late = house.directory.ask(post(bo, thread))
    await removal
    with pytest.raises(NotFound):
        await late


async def test_too_many_commands_in_flight_in_one_thread(
    house: House, ana: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COMMANDS_PER_THREAD", 3)
    thread, other = await house.thread(ana), await house.thread(ana)
    await house.load_actor(thread)
    replies = [house.directory.ask(post(ana, thread)) for _ in range(4)]
    elsewhere = house.directory.ask(post(ana, other))
    with pytest.raises(Overloaded, match="the limit is 3"):
        await replies[3]
    assert [(await reply).result.number for reply in replies[:3]] == [1, 2, 3]
    assert (await elsewhere).result.number == 1
    assert (await house.post(ana, thread)).number == 4


async def test_too_many_commands_in_flight_in_all(
    house: House, ana: Identity, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    thread = await house.thread(ana)
    await house.load_actor(thread)
    monkeypatch.setattr(limits, "COMMANDS_IN_ALL", 2)
    replies = [house.directory.ask(post(ana, thread)) for _ in range(3)]
    with pytest.raises(Overloaded):
        await replies[2]
    assert [(await reply).result.number for reply in replies[:2]] == [1, 2]
    assert (await house.post(ana, thread)).number == 3
    assert house.actor(thread)._in_flight == 0
    assert caplog.records == [], "a refusal is no defect"


async def test_a_database_that_takes_no_writes(stage: Stage, tmp_path: Path) -> None:
    house = House(stage, tmp_path / "locked.db", busy_timeout_ms=10)
    await house.open()
    ana = await house.user("ana")
    thread = await house.thread(ana)
    watcher = await house.watch(ana, thread)
    other = sqlite3.connect(house.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable) as caught:
        await house.post(ana, thread)
    assert caught.value.retryable
    other.close()
    assert (await house.post(ana, thread)).offset == 2
    await until(lambda: watcher.offsets)
    assert watcher.offsets == [2]
    await house.close()


# Loading


async def test_what_comes_before_the_state_waits_for_it(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    go = asyncio.Event()

    async def slowly(thread_id: str) -> ThreadState | None:
        await go.wait()
        return await house.load_now(thread_id)

    house.load = slowly
    replies = [house.directory.ask(post(ana, thread, f"{n}")) for n in range(3)]
    peer = house.peer()
    subscribed = asyncio.ensure_future(house.subscribe(ana, thread, peer))
    await settle(30)
    assert not any(reply.done for reply in replies)
    go.set()
    assert [(await reply).result.content for reply in replies] == ["0", "1", "2"]
    assert (await subscribed).offset == 1
    assert house.loads == 1


async def test_what_is_committed_while_the_state_is_read_is_not_missed(
    house: House, ana: Identity, bo: Identity
) -> None:
    """The state was read before the commit, and arrives after it."""
    thread = await house.thread(ana)
    read, go = asyncio.Event(), asyncio.Event()

    async def slowly(thread_id: str) -> ThreadState | None:
        state = await house.load_now(thread_id)
        read.set()
        await go.wait()
        return state

    house.load = slowly
    house.directory.thread(thread.id)
    await read.wait()
    await house.journal.append(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    await settle()
    go.set()
    message = await house.post(bo, thread)
    assert message.offset == 3
    assert house.actor(thread).state.offset == 3


async def test_a_thread_that_is_not_there(house: House, ana: Identity) -> None:
    missing = new_id()
    replies = [house.directory.ask(post(ana, missing)) for _ in range(3)]
    for reply in replies:
        with pytest.raises(NotFound, match=missing):
            await reply
    await until(lambda: house.directory.live_threads == 0)
    assert house.loads == 1


async def test_a_thread_that_is_made_after_it_was_asked_for(house: House, ana: Identity) -> None:
    mine = new_id()
    with pytest.raises(NotFound):
        await house.do(post(ana, mine))
    await house.do(CreateThread(identity=ana, title="T", thread_id=mine))
    assert (await house.do(post(ana, mine))).result.number == 1


@pytest.mark.parametrize(
    ("failure", "told"),
    [(StorageUnavailable("the disk is gone"), StorageUnavailable), (ValueError("a defect"), Internal)],
)
async def test_a_state_that_cannot_be_read_is_told_to_all_who_wait_and_tried_again(
    house: House, ana: Identity, failure: Exception, told: type[Exception]
) -> None:
    thread = await house.thread(ana)

    async def fail(thread_id: str) -> ThreadState | None:
        raise failure

    house.load = fail
    replies = [house.directory.ask(post(ana, thread)) for _ in range(3)]
    peer = house.peer()
    waiting: list[Awaitable[Any]] = [*map(result, replies), house.subscribe(ana, thread, peer)]
    for answer in await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10):
        assert isinstance(answer, told)
    await until(lambda: house.directory.live_threads == 0)
    house.load = house.load_now
    assert (await house.post(ana, thread)).number == 1


async def result(reply: Any) -> Any:
    return await reply


async def test_a_thread_stopped_while_it_loads_answers_who_waits(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    go = asyncio.Event()

    async def slowly(thread_id: str) -> ThreadState | None:
        await go.wait()
        return await house.load_now(thread_id)

    house.load = slowly
    reply = house.directory.ask(post(ana, thread))
    await settle()
    house.stage.stop_all()
    with pytest.raises(pykka.ActorDeadError):
        await reply
    go.set()
    await settle(30)


# Reading along


async def test_subscribers_get_everything_once_and_in_order(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    watchers = [await house.watch(ana, thread) for _ in range(3)]
    replies = [house.directory.ask(post(ana, thread)) for _ in range(20)]
    for reply in replies:
        await reply
    await house.post(ana, thread)
    for watcher in watchers:
        await until(lambda watcher=watcher: len(watcher.offsets) >= 21)
        assert watcher.offsets == list(range(2, 23))


async def test_subscribing_answers_where_the_log_stands(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    await house.post(ana, thread)
    assert (await house.subscribe(ana, thread, house.peer())).offset == 2


async def test_strangers_do_not_subscribe_but_admins_do(house: House, ana: Identity, bo: Identity) -> None:
    thread = await house.thread(ana)
    with pytest.raises(NotFound):
        await house.watch(bo, thread)
    root = await house.user("root", role="ADMIN")
    watcher = await house.watch(root, thread)
    await house.post(ana, thread)
    await until(lambda: watcher.offsets == [2])


async def test_who_has_unsubscribed_gets_no_more(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    gone, stays = await house.watch(ana, thread), await house.watch(ana, thread)
    await house.post(ana, thread)
    await until(lambda: gone.offsets == [2])
    house.directory.tell_if_live(thread.id, Unsubscribe(gone.ref))
    house.directory.tell_if_live(thread.id, Unsubscribe(gone.ref))  # once more is no trouble
    await house.post(ana, thread)
    await until(lambda: stays.offsets == [2, 3])
    assert gone.offsets == [2]


async def test_a_connection_that_has_just_gone_does_not_keep_events_from_the_others(
    house: House, ana: Identity
) -> None:
    thread = await house.thread(ana)
    before, gone, after = [await house.watch(ana, thread) for _ in range(3)]
    gone.actor._stop()
    await house.post(ana, thread)
    for watcher in (before, after):
        await until(lambda watcher=watcher: watcher.offsets == [2])


async def test_a_member_removed_sees_their_removal_and_nothing_after_it(
    house: House, ana: Identity, bo: Identity
) -> None:
    thread = await house.thread(ana, bo)
    hers, his = await house.watch(ana, thread), await house.watch(bo, thread)
    await house.load_actor(thread)
    remove = RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id)
    replies = [house.directory.ask(c) for c in (post(ana, thread), remove, post(ana, thread), post(ana, thread))]
    for reply in replies:
        await reply
    assert house.journal.batches >= 1
    await until(lambda: hers.offsets == [3, 4, 5, 6])
    assert his.lines == ["3 message.created", "4 member.removed", f"ended thread:{thread.id}"]
    with pytest.raises(NotFound):
        await house.subscribe(bo, thread, his)


async def test_an_admin_removed_as_member_still_sees(house: House, ana: Identity) -> None:
    root = await house.user("root", role="ADMIN")
    thread = await house.thread(ana, root)
    watcher = await house.watch(root, thread)
    await house.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=root.user.id))
    await house.post(ana, thread)
    await until(lambda: watcher.offsets == [3, 4])


async def test_a_deleted_user_is_let_go_of(house: House, ana: Identity, bo: Identity) -> None:
    root = await house.user("root", role="ADMIN")
    thread = await house.thread(ana, bo)
    his = await house.watch(bo, thread)
    await house.do(DeleteUser(identity=root, user_id=bo.user.id))
    await until(lambda: len(his.lines) == 2)
    assert his.lines == ["3 member.removed", f"ended thread:{thread.id}"]


async def test_a_deleted_thread_ends_for_everybody(house: House, ana: Identity) -> None:
    root = await house.user("root", role="ADMIN")
    thread = await house.thread(ana)
    watchers = [await house.watch(who, thread) for who in (ana, root)]
    delete = house.directory.ask(DeleteThread(identity=ana, thread_id=thread.id))
    late = house.directory.ask(post(ana, thread))
    await delete
    with pytest.raises(NotFound):
        await late
    for watcher in watchers:
        await until(lambda watcher=watcher: len(watcher.lines) == 2)
        assert watcher.lines == ["2 thread.deleted", f"ended thread:{thread.id}"]
    for attempt in (house.post(ana, thread), house.subscribe(root, thread, watchers[1])):
        with pytest.raises(NotFound):
            await attempt


async def test_a_writer_is_answered_before_readers_are_told(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    watcher = await house.watch(ana, thread)
    seen: list[list[int]] = []
    reply = house.directory.ask(post(ana, thread))
    reply.when_done(lambda _: seen.append(watcher.offsets))
    await until(lambda: watcher.offsets == [2])
    assert seen == [[]]


# Order


class Ear:
    """A subscriber that notes messages as they come, without an actor's turns."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def tell(self, message: Any) -> None:
        self.heard.append(message)

    @property
    def offsets(self) -> list[int]:
        return [item.offset for told in self.heard if isinstance(told, Publications) for item in told.items]


async def listening(house: House, who: Identity, thread: Thread) -> Ear:
    ear = Ear()
    await house.directory.thread(thread.id).ask(Subscribe(who, ear))
    return ear


def entry(thread: Thread, offset: int) -> Event:
    return message_event(offset, thread_id=thread.id, thread_key=thread.key)


async def test_what_is_known_already_is_not_told_again(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    ear = await listening(house, ana, thread)
    actor = house.actor(thread)
    for offsets in ((1, 2), (2, 3), (1, 2, 3), (3, 4)):
        actor.urgent(EventsCommitted([entry(thread, n) for n in offsets]))
    assert ear.offsets == [2, 3, 4]


@pytest.mark.parametrize(
    "arrivals",
    [
        [(3, 4), (2,)],
        [(3,), (4,), (2,)],
        [(4,), (3,), (2,)],
        [(4,), (2,), (3,)],
        [(2, 4), (3,)],
        [(4,), (4,), (2, 3)],
        [(3, 4), (2, 3, 4)],
    ],
)
async def test_what_is_ahead_of_a_hole_waits_for_what_is_missing(
    house: House, ana: Identity, arrivals: list[tuple[int, ...]]
) -> None:
    thread = await house.thread(ana)
    ear = await listening(house, ana, thread)
    for offsets in arrivals:
        house.actor(thread).urgent(EventsCommitted([entry(thread, n) for n in offsets]))
        assert ear.offsets == list(range(2, 2 + len(ear.offsets)))
    assert ear.offsets == [2, 3, 4]
    house.actor(thread).urgent(EventsCommitted([entry(thread, 5)]))
    assert ear.offsets == [2, 3, 4, 5]


async def test_much_at_once_is_told_in_pieces(house: House, ana: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = await house.thread(ana)
    ear = await listening(house, ana, thread)
    size = len(b"message.created 2")
    monkeypatch.setattr(limits, "PUBLICATIONS_BYTES", size * 3)
    house.actor(thread).urgent(EventsCommitted([entry(thread, n) for n in range(2, 9)]))
    assert [[item.offset for item in told.items] for told in ear.heard] == [[2, 3, 4], [5, 6, 7], [8]]
    monkeypatch.setattr(limits, "PUBLICATIONS_BYTES", 1)
    house.actor(thread).urgent(EventsCommitted([entry(thread, 9)]))
    assert ear.offsets[-1] == 9


async def test_each_event_is_encoded_once_for_all(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    ears = [await listening(house, ana, thread) for _ in range(3)]
    house.actor(thread).urgent(EventsCommitted([entry(thread, 2)]))
    assert ears[0].heard[0] is ears[1].heard[0] is ears[2].heard[0]


async def test_nothing_is_encoded_for_nobody(house: House, ana: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = await house.thread(ana)
    actor = await house.load_actor(thread)
    monkeypatch.setattr(actor._audience, "_encode", lambda event: 1 // 0)
    await house.post(ana, thread)
    assert actor.state.offset == 2


# Retiring


def idle(house: House) -> RetireIfIdle:
    return RetireIfIdle(house.stage.loop.time() + 1)


async def test_an_idle_thread_retires_and_is_loaded_anew(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    await house.post(ana, thread)
    first = house.actor(thread)
    house.directory.tell_if_live(thread.id, idle(house))
    await until(lambda: house.directory.live_threads == 0)
    assert not first.actor_ref.is_alive()
    assert (await house.post(ana, thread)).number == 2
    assert house.actor(thread) is not first
    assert house.loads == 2


async def test_what_is_asked_of_a_thread_as_it_retires_is_answered(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    await house.load_actor(thread)
    house.directory.tell_if_live(thread.id, idle(house))
    reply = house.directory.ask(post(ana, thread))  # in its inbox behind the sweep: it stays
    assert (await reply).result.number == 1
    house.directory.tell_if_live(thread.id, idle(house))
    await until(lambda: house.directory.live_threads == 0)
    assert (await house.post(ana, thread)).number == 2


async def test_a_thread_with_subscribers_work_or_recent_use_stays(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    watcher = await house.watch(ana, thread)
    actor = house.actor(thread)
    house.directory.tell_if_live(thread.id, idle(house))
    await settle()
    assert actor.actor_ref.is_alive()
    house.directory.tell_if_live(thread.id, Unsubscribe(watcher.ref))
    house.directory.tell_if_live(thread.id, RetireIfIdle(house.stage.loop.time() - 1000))
    await settle()
    assert actor.actor_ref.is_alive()
    reply = house.directory.ask(post(ana, thread))
    house.directory.tell_if_live(thread.id, idle(house))  # while the post is with the journal
    await reply
    await settle()
    assert actor.actor_ref.is_alive()
    house.directory.tell_if_live(thread.id, idle(house))
    await until(lambda: not actor.actor_ref.is_alive())


async def test_a_sweep_while_the_thread_loads(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    house.directory.thread(thread.id)
    house.directory.tell_if_live(thread.id, idle(house))
    assert (await house.post(ana, thread)).number == 1


async def test_access_ended_names_its_channel(house: House, ana: Identity, bo: Identity) -> None:
    thread = await house.thread(ana, bo)
    ear = await listening(house, bo, thread)
    await house.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    await until(lambda: len(ear.heard) == 2)
    assert ear.heard[1] == AccessEnded(f"thread:{thread.id}")


async def test_a_thread_with_a_crowd_is_patient(house: House, ana: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who writes into it waits for who listens: else what is to be told would pile up."""
    monkeypatch.setattr(limits, "CROWD", 1)
    thread = await house.thread(ana)
    watchers = [await house.watch(ana, thread)]
    actor = house.directory.live_thread(thread.id)
    assert actor is not None
    assert not actor.is_low_priority
    watchers.append(await house.watch(ana, thread))
    assert actor.is_low_priority
    for n in range(3):
        await house.post(ana, thread, f"{n}")
    for watcher in watchers:
        await until(lambda watcher=watcher: len(watcher.lines) == 3)
    assert watchers[0].lines == watchers[1].lines == [f"{n} message.created" for n in (2, 3, 4)]
    house.directory.tell_if_live(thread.id, Unsubscribe(watchers[0].ref))
    await until(lambda: not actor.is_low_priority)


# What is in no log


async def test_what_is_ephemeral_reaches_the_subscribers_of_the_moment(house: House, ana: Identity) -> None:
    thread = await house.thread(ana)
    watcher = await house.watch(ana, thread)
    house.directory.tell_if_live(thread.id, TellEphemeral(FILE_PROGRESS, UploadProgress("f", "u", 1, 2)))
    await until(lambda: watcher.lines == ["0 file.progress"])
    later = await house.watch(ana, thread)
    await house.post(ana, thread)
    await until(lambda: later.offsets == [2])


async def test_who_returns_to_a_thread_from_before_the_start_gets_empty_lists(house: House, ana: Identity) -> None:
    """Their client may show users as present or typing since then."""
    young, old = await house.thread(ana), await house.thread(ana)
    house.directory._began = old.created_at + 1
    state = (await house.subscribe(ana, old, house.peer(), returning=True)).state
    assert state is not None
    assert [item.type for item in state.items] == ["presence", "typing"]
    assert (await house.subscribe(ana, old, house.peer())).state is None
    house.directory._began = young.created_at
    assert (await house.subscribe(ana, young, house.peer(), returning=True)).state is None


async def test_who_is_present_on_the_channel_of_an_artifact(house: House, ana: Identity) -> None:
    thread, peer = await house.thread(ana), house.peer()
    await house.subscribe(ana, thread, peer, artifact_id="a")
    ref = house.directory.thread(thread.id)
    assert [who for _, who in await ref.ask(ListPresent(ana, artifact_id="a"))] == [ana]
    assert await ref.ask(ListPresent(ana, artifact_id="b")) == []
    assert await ref.ask(ListPresent(ana)) == []
