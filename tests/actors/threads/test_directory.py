"""The directory: which threads are live, who is told of a commit, and what other processes write."""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.channel import ListPresent, Subscribe, Unsubscribe
from actors.delivery.connection import ShutGate
from actors.delivery.feed import FeedActor, Replay, Watch
from actors.delivery.publication import Publication
from actors.errors import NotFound, ShuttingDown, StorageUnavailable
from actors.events import Event
from actors.identifiers import new_id
from actors.journal.follower import Follower
from actors.outcomes import Done
from actors.resources.log import GetLogHead
from actors.resources.members import RemoveMember
from actors.resources.message_streams import AwaitEnd
from actors.resources.messages import EditMessage
from actors.resources.threads import DeleteThread, Thread, UpdateThread
from actors.resources.users import DeleteUser
from actors.runtime.loop_actor import Stage
from actors.threads.actor import ThreadActor
from actors.threads.inbox import RetireIfIdle
from tests.actors.house import House, Noted, Peer, Wire, access_ended
from tests.builders import Ledger, message_event, post, settle, until

# Live threads


async def test_a_thread_is_started_at_its_first_message_and_once(house: House) -> None:
    ana = await house.user("ana")
    thread = await house.thread(ana)
    assert house.directory.live_threads == 0
    refs = {house.directory.thread(thread.id) for _ in range(3)}
    assert len(refs) == 1
    assert house.directory.live_threads == 1
    await house.post(ana, thread)
    assert house.loads == 1
    assert house.stage.count(ThreadActor) == 1


async def test_asking_about_many_threads_keeps_few_of_them(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever verb it is; one with a subscriber stays."""
    monkeypatch.setattr(limits, "THREADS_LIVE", 5)
    ana, bo = await house.user("ana"), await house.user("bo")
    threads = [await house.thread(ana) for _ in range(30)]
    watcher = await house.watch(ana, threads[0])
    for thread in threads[1:]:
        assert await house.directory.thread(thread.id).ask(ListPresent(ana)) == []
        with pytest.raises(NotFound):
            await house.directory.thread(thread.id).ask(ListPresent(bo))
    await until(lambda: house.directory.live_threads <= 6)
    assert house.directory.is_live(threads[0].id)
    message = await house.post(ana, threads[0])
    await until(lambda: watcher.offsets[-1:] == [message.offset])


async def test_what_matters_only_to_live_threads_starts_none(house: House) -> None:
    house.directory.tell_if_live(new_id(), Unsubscribe(house.peer().ref))
    assert house.directory.live_threads == 0


async def test_a_commit_in_threads_that_are_not_live_starts_none(house: House) -> None:
    ana = await house.user("ana")
    thread = await house.thread(ana)
    await house.journal.append(post(ana, thread))
    assert house.directory.live_threads == 0
    assert (await house.post(ana, thread)).number == 2


async def test_one_commit_is_told_to_each_of_its_threads(house: House) -> None:
    ana, bo, root = await house.user("ana"), await house.user("bo"), await house.user("root", role="ADMIN")
    threads = [await house.thread(ana, bo) for _ in range(3)]
    watchers = [await house.watch(ana, thread) for thread in threads]
    await house.do(DeleteUser(identity=root, user_id=bo.user.id))
    for watcher in watchers:
        await until(lambda watcher=watcher: watcher.lines == ["3 member.removed"])


async def test_idle_threads_are_swept(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "THREAD_IDLE_SECONDS", 0.01)
    house = House(stage, tmp_path / "experience.db")
    await house.open()
    ana = await house.user("ana")
    thread = await house.thread(ana)
    await house.post(ana, thread)
    await until(lambda: house.directory.live_threads == 0)
    await house.post(ana, thread)
    await until(lambda: house.directory.live_threads == 0)
    await house.close()


async def test_a_sweep_leaves_the_threads_that_were_used_a_moment_ago(house: House) -> None:
    ana = await house.user("ana")
    thread = await house.thread(ana)
    await house.post(ana, thread)
    assert house.directory._sweep is not None
    house.directory._sweep.cancel()
    house.directory._retire_idle()
    await settle()
    assert house.directory.is_live(thread.id)


async def test_a_thread_that_has_retired_knows_that_clients_may_have_lists(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PRESENCE_SECONDS", 0.0)
    monkeypatch.setattr(limits, "LISTS_REMEMBERED", 1)
    ana, bo = await house.user("ana"), await house.user("bo")
    crowded, quiet, later = [await house.thread(ana, bo) for _ in range(3)]

    async def used(thread: Thread, *people: Identity) -> bool:
        """Whether clients may have lists after these were there, and it has retired."""
        ref = house.directory.thread(thread.id)
        watchers = [await house.watch(who, thread) for who in people]
        presence = house.actor(thread)._audience._presence
        await until(lambda: presence is None or presence._timer is None)
        for watcher in watchers:
            ref.tell(Unsubscribe(watcher.ref))
        ref.tell(RetireIfIdle(math.inf))
        await until(lambda: not house.directory.is_live(thread.id))
        return (await house.load_actor(thread)).has_lists

    assert await used(crowded, ana, bo)
    assert not await used(quiet, ana)
    assert await used(crowded)
    assert await used(later, ana, bo)
    assert list(house.directory._had_lists) == [later.id], "of so many"


async def test_a_defect_behind_one_reply_keeps_nothing_from_the_others(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    ana = await house.user("ana")
    thread = await house.thread(ana)
    watcher = await house.watch(ana, thread)
    replies = [house.directory.ask(post(ana, thread)) for _ in range(3)]
    replies[0].when_done(lambda _: 1 // 0)
    for reply in replies:
        assert isinstance(await reply, Done)
    await until(lambda: watcher.offsets == [2, 3, 4])
    assert "ZeroDivisionError" in caplog.text


async def test_an_event_that_cannot_be_encoded_stops_no_other_thread(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await house.user("ana")
    broken, fine = await house.thread(ana), await house.thread(ana)
    watchers = [await house.watch(ana, thread) for thread in (broken, fine)]
    monkeypatch.setattr(house.actor(broken)._audience, "_encode", lambda event: 1 // 0)
    for reply in [house.directory.ask(post(ana, thread)) for thread in (broken, fine)]:
        await reply
    await until(lambda: watchers[1].offsets == [2])
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    await house.post(ana, broken)
    await until(lambda: watchers[0].offsets == [3])


# Stopping


async def test_what_is_closed_in_order_leaves_one_file(stage: Stage, tmp_path: Path) -> None:
    """Who closes the database last folds its write-ahead log in: that must be the journal, which may write."""
    house = House(stage, tmp_path / "experience.db", follow=True)
    await house.open()
    ana = await house.user("ana")
    await house.post(ana, await house.thread(ana))
    await house.close()
    assert [path.name for path in tmp_path.iterdir()] == ["experience.db"]  # noqa: ASYNC240


async def test_a_thread_asked_for_after_the_history_was_closed_answers(house: House) -> None:
    ana = await house.user("ana")
    thread = await house.thread(ana)
    house.reads.close()
    with pytest.raises(ShuttingDown):
        await asyncio.wait_for(result(house.directory.ask(post(ana, thread))), 10)


async def result(reply: Any) -> Any:
    return await reply


async def test_all_stops_in_order_with_subscribers_still_there(
    stage: Stage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Threads are younger than the connections that first asked for them, so they go first."""
    house = House(stage, tmp_path / "experience.db")
    await house.open()
    ana = await house.user("ana")
    thread = await house.thread(ana)
    told: list[Any] = []

    def on_closed(channels: Any) -> None:
        told.extend(channels)
        for channel in channels:
            house.directory.tell_if_live(channel.removeprefix("thread:"), Unsubscribe(peer.ref))

    peer = Peer(stage, on_closed)
    peer.tell(ShutGate(f"thread:{thread.id}"))
    await house.subscribe(ana, thread, peer)
    await house.close()
    assert told == [f"thread:{thread.id}"]
    assert stage.count() == 0
    assert caplog.records == []


async def test_who_leaves_the_channel_of_an_artifact_is_no_longer_present(house: House) -> None:
    ana, peer = await house.user("ana"), house.peer()
    thread = await house.thread(ana)
    ref = house.directory.thread_of_artifact("a", thread.id)
    await ref.ask(Subscribe(ana, peer.ref, artifact_id="a"))
    house.directory.leave_artifact("unknown", peer.ref)
    assert len(await ref.ask(ListPresent(ana, artifact_id="a"))) == 1
    house.directory.leave_artifact("a", peer.ref)
    assert await ref.ask(ListPresent(ana, artifact_id="a")) == []


async def test_of_a_thread_that_has_retired_no_artifact_is_remembered(house: House) -> None:
    ana, peer = await house.user("ana"), house.peer()
    thread = await house.thread(ana)
    for artifact_id in ("a", "b"):
        house.directory.thread_of_artifact(artifact_id, thread.id)
    await house.load_actor(thread)
    house.directory.tell_if_live(thread.id, RetireIfIdle(math.inf))
    await until(lambda: not house.directory.is_live(thread.id))
    house.directory.leave_artifact("a", peer.ref)
    assert (house.directory._artifacts, house.directory._thread_of) == ({}, {})
    assert house.directory.live_threads == 0


async def test_a_watcher_hears_what_is_published(house: House) -> None:
    ana = await house.user("ana")
    thread = await house.thread(ana)
    watcher = house.stage.watcher = Noted()
    before = house.stage.measures.events
    await house.post(ana, thread)
    assert watcher.heard == [("published", thread.id, [2])]
    assert house.stage.measures.events == before + 1


async def test_only_threads_in_which_something_is_written_hear_of_authors(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await house.user("ana")
    quiet, busy = await house.thread(ana), await house.thread(ana)
    await house.post(ana, busy, "", status="STREAMING")
    await house.post(ana, quiet)
    handled: list[str] = []
    monkeypatch.setitem(ThreadActor.handlers, RetireIfIdle, lambda actor, _: handled.append(actor.thread_id))
    house.directory.tell_writing(RetireIfIdle(0.0))
    await settle()
    assert handled == [busy.id]


async def test_notifying_the_members_of_a_deleted_thread_ends(house: House) -> None:
    ana, bo = await house.user("ana"), await house.user("bo")
    thread = await house.thread(ana, bo)
    await house.load_actor(thread)
    before = house.journal.batches
    await house.do(DeleteThread(identity=ana, thread_id=thread.id))
    await until(lambda: house.journal.batches >= before + 2)
    await settle(50)
    assert house.journal.batches == before + 2  # the deletion, and one step


class Traced:
    """A tracer that notes what was published during it."""

    def __init__(self) -> None:
        self.began = self.ended = 0

    def asked(self, reply: Any) -> None: ...
    def appended(self, reply: Any) -> None: ...
    def committed(self, replies: Any, taken: int, ended: int) -> None: ...

    @contextlib.contextmanager
    def publishing(self, committed: Any) -> Iterator[None]:
        self.began += 1
        yield
        self.ended += 1


async def test_what_is_traced_is_published_too(stage: Stage, tmp_path: Path) -> None:
    tracer = Traced()
    stage.tracer = tracer
    house = House(stage, tmp_path / "experience.db")
    await house.open()
    ana = await house.user("ana")
    thread = await house.thread(ana)
    watcher = await house.watch(ana, thread)
    await house.post(ana, thread)
    await until(lambda: watcher.offsets == [2])
    assert tracer.began == tracer.ended > 0
    await house.close()


# What others write


@pytest.fixture
async def shared(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A core that follows the log, looking often."""
    monkeypatch.setattr("actors.limits.FOLLOW_SECONDS", 0.02)
    house = House(stage, tmp_path / "experience.db", follow=True)
    await house.open()
    yield house
    await house.close()


async def in_another(ledger: Ledger, *batch: Any) -> None:
    """What another process commits; here from the test's own OS thread."""
    for outcome in ledger.apply(*batch):
        assert isinstance(outcome, Done)


@pytest.fixture
async def other(shared: House) -> AsyncIterator[Ledger]:
    ledger = Ledger(shared.path)
    yield ledger
    ledger.close()


async def test_what_another_process_writes_reaches_subscribers(shared: House, other: Ledger) -> None:
    ana = await shared.user("ana")
    thread = await shared.thread(ana)
    watcher = await shared.watch(ana, thread)
    await in_another(other, post(ana, thread), post(ana, thread))
    await until(lambda: watcher.offsets == [2, 3])
    await shared.post(ana, thread)
    await until(lambda: watcher.offsets == [2, 3, 4])


async def test_a_message_that_another_process_writes_interrupts(shared: House, other: Ledger) -> None:
    ana, bot = await shared.user("ana"), await shared.user("bot", kind="ASSISTANT")
    thread = await shared.thread(ana, bot)
    await shared.do(UpdateThread(identity=ana, thread_id=thread.id, while_streaming="interrupt"))
    await shared.post(bot, thread, "", message_id="s", status="STREAMING")
    await in_another(other, post(bot, thread))
    await in_another(other, post(ana, thread))
    ended = shared.directory.thread(thread.id).ask(AwaitEnd("s"))
    message = await asyncio.wait_for(ended, 30)
    assert (message.status, message.metadata) == ("INTERRUPTED", '{"end_reason":"interrupted"}')


class Looks:
    """In place of the users' actors: whether they are asked to look at their own logs, and what they hear."""

    def __init__(self) -> None:
        self.count = 0
        self.moves: list[str] = []
        self.has_ended = False

    def look(self) -> None:
        self.count += 1

    def moved(self, thread_id: str, events: Sequence[Event]) -> None:
        self.moves += [f"{event.type} in {thread_id}" for event in events]

    def publish(self, events: Sequence[Any]) -> None: ...

    def stop(self) -> None:
        self.has_ended = True


async def test_users_hear_of_events_until_all_stops(house: House) -> None:
    ana = await house.user("ana")
    thread = await house.thread(ana)
    users = Looks()
    house.directory.users = users  # type: ignore[assignment]
    await house.post(ana, thread)
    await until(lambda: users.moves == [f"message.created in {thread.id}"])
    assert not users.has_ended
    house.directory.stop()
    assert users.has_ended


async def test_users_look_at_their_logs_when_another_process_has_written(shared: House, other: Ledger) -> None:
    ana = await shared.user("ana")
    thread = await shared.thread(ana)
    users = Looks()
    shared.directory.users = users  # type: ignore[assignment]
    await shared.post(ana, thread)
    assert users.count == 0
    await in_another(other, post(ana, thread))
    await until(lambda: users.count > 0)


async def test_what_another_process_writes_between_ours_keeps_the_order(shared: House, other: Ledger) -> None:
    ana = await shared.user("ana")
    threads = [await shared.thread(ana) for _ in range(2)]
    watchers = [await shared.watch(ana, thread) for thread in threads]
    for n in range(30):
        await in_another(other, post(ana, threads[n % 2]))
        await shared.post(ana, threads[n % 2])
    for watcher in watchers:
        await until(lambda watcher=watcher: len(watcher.offsets) == 30)
        assert watcher.offsets == list(range(2, 32))


async def test_a_stream_over_many_threads_loses_nothing_that_another_process_writes(
    shared: House, other: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote stands before ours in the one order: told after ours, a cursor would have gone past it."""
    monkeypatch.setattr("actors.limits.FOLLOW_SECONDS", 60)  # it shows by the hole before ours
    ana = await shared.user("ana")
    threads = [await shared.thread(ana) for _ in range(2)]
    wire = Wire()
    feed = FeedActor(
        wire,
        encode_one=position_of,
        on_access_ended=access_ended,
        on_closed=lambda channels: None,
        on_behind=lambda channel: None,
    )
    ref = shared.stage.start(feed)
    ref.tell(Watch([f"thread:{thread.id}" for thread in threads]))
    for thread in threads:
        await shared.directory.thread(thread.id).ask(Subscribe(ana, ref))
    _, head = await shared.reads.ask(GetLogHead())
    ref.tell(Replay(b"", head))
    for _ in range(5):
        await in_another(other, post(ana, threads[0]))
        await shared.post(ana, threads[1])
        await shared.post(ana, threads[0])
    await until(lambda: len(wire.lines) == 15)
    assert wire.lines == [f"{n}" for n in range(head + 1, head + 16)]


def position_of(item: Publication) -> bytes:
    return b"%d\n" % item.position


async def test_a_member_removed_by_another_process_is_let_go_of(shared: House, other: Ledger) -> None:
    ana, bo = await shared.user("ana"), await shared.user("bo")
    thread = await shared.thread(ana, bo)
    his = await shared.watch(bo, thread)
    await in_another(other, RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id), post(ana, thread))
    await until(lambda: len(his.lines) == 2)
    await shared.post(ana, thread)
    assert his.lines == ["3 member.removed", f"ended thread:{thread.id}"]


async def test_a_thread_deleted_by_another_process_is_gone(shared: House, other: Ledger) -> None:
    ana = await shared.user("ana")
    thread = await shared.thread(ana)
    watcher = await shared.watch(ana, thread)
    await in_another(other, DeleteThread(identity=ana, thread_id=thread.id))
    await until(lambda: watcher.lines == ["2 thread.deleted", f"ended thread:{thread.id}"])


class Log:
    """A log for a follower alone: positions that exist, and what reading them does."""

    def __init__(self) -> None:
        self.head = 0
        self.busy = False
        self.failures: list[Exception] = []
        self.ranges: list[tuple[int, int]] = []
        self.published: list[int] = []
        self.looks = 0
        self.follower = Follower(
            read_head=self.read_head, read_range=self.read_range, is_busy=self.is_busy, publish=self.publish
        )

    def is_busy(self) -> bool:
        self.looks += 1
        return self.busy

    async def read_head(self) -> tuple[str, int]:
        if self.failures:
            raise self.failures.pop()
        return "epoch", self.head

    async def read_range(self, after: int, up_to: int) -> list[Event]:
        if self.failures:
            raise self.failures.pop()
        self.ranges.append((after, up_to))
        return [message_event(n) for n in range(after + 1, up_to + 1)]

    def publish(self, events: Any) -> None:
        self.published += [event.position for event in events]


@pytest.fixture
async def followed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Log]:
    monkeypatch.setattr("actors.limits.FOLLOW_SECONDS", 0.005)
    log = Log()
    log.head = 10
    await log.follower.start()
    yield log
    log.follower.stop()
    await settle()


async def test_what_was_there_at_the_start_is_not_told(followed: Log) -> None:
    followed.head = 12
    await until(lambda: followed.published == [11, 12])


async def test_a_batch_of_ours_that_does_not_follow_shows_a_hole(followed: Log) -> None:
    followed.busy = True  # so that nothing but the hole makes it look
    assert followed.follower.committed(11, 12)
    assert not followed.follower.committed(15, 15)
    assert not followed.follower.committed(16, 17)  # in order, but what is before it is not told yet
    assert not followed.follower.committed(19, 20)
    await until(lambda: followed.published == [13, 14, 15, 16, 17, 18, 19, 20])
    assert followed.ranges == [(12, 15), (15, 17), (17, 20)]
    assert followed.follower.committed(21, 21)


async def test_our_own_are_not_told_twice(followed: Log) -> None:
    followed.head = 13
    followed.follower.committed(11, 13)
    followed.head = 14
    await until(lambda: followed.published)
    assert followed.published == [14]


async def test_a_failing_look_is_tried_again_and_loses_nothing(
    followed: Log, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.FOLLOW_POSITIONS", 2)
    followed.busy = True
    followed.failures = [ValueError("a defect"), StorageUnavailable("the disk is gone")]
    followed.follower.committed(15, 16)
    await until(lambda: followed.published == [11, 12, 13, 14, 15, 16])
    assert followed.ranges == [(10, 12), (12, 14), (14, 16)]
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]


async def test_nothing_is_looked_for_while_ours_are_in_flight(followed: Log) -> None:
    followed.busy = True
    followed.head = 12
    looks = followed.looks
    await until(lambda: followed.looks > looks + 3)
    assert followed.published == []
    followed.follower.committed(11, 12)
    followed.busy = False
    followed.head = 13
    await until(lambda: followed.published == [13])


async def test_a_log_that_cannot_be_read_at_the_start_is_said() -> None:
    log = Log()
    log.failures = [StorageUnavailable("no")]
    with pytest.raises(StorageUnavailable):
        await log.follower.start()
    log.follower.stop()


async def test_stopping_ends_it(followed: Log) -> None:
    followed.follower.stop()
    await settle()
    followed.follower.committed(15, 15)
    await settle()
    assert followed.published == []


async def test_a_core_that_is_closed_follows_no_more(stage: Stage, tmp_path: Path) -> None:
    house = House(stage, tmp_path / "experience.db", follow=True)
    await house.open()
    before = len(asyncio.all_tasks())
    await house.close()
    await until(lambda: len(asyncio.all_tasks()) == before - 1)


async def test_identities_of_one_core_are_those_of_another(shared: House, other: Ledger) -> None:
    ana: Identity = await shared.user("ana")
    assert other.user("ana").user == ana.user


# Who sends what is due


async def test_messages_that_notify_nobody_make_nothing_due(house: House) -> None:
    """All else does, also a retry, and what is written for no thread."""
    ana, bo = await house.user("ana"), await house.user("bo")
    thread = await house.thread(ana, (bo, "MEMBER"))
    first, changes = await house.post(ana, thread), house.directory.changes
    await asyncio.gather(*(house.post(ana, thread) for _ in range(5)))
    assert house.directory.changes == changes
    await house.do(EditMessage(identity=ana, thread_id=thread.id, message_id=first.id, content="Edited"))
    assert house.directory.changes == changes + 1
    await house.post(ana, thread, f"<@{bo.user.id}>")
    assert house.directory.changes == changes + 2
    await house.user("cleo")
    assert house.directory.changes == changes + 3
