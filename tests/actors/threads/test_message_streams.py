"""Messages that are being written, in a live thread: what is counted and saved, and what ends with the actor."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from actors import limits, permissions
from actors.auth.access_changes import AccessChange, AccessChanges, ChangeKind
from actors.auth.identity import Identity
from actors.commands import UNSET
from actors.errors import Conflict, NotFound, ShuttingDown, StorageUnavailable, TooLarge
from actors.resources.members import AddMember
from actors.resources.message_streams import (
    MESSAGE_DELTA,
    AppendToMessage,
    AuthorsChanged,
    AwaitEnd,
    EndMessage,
    FinishMessage,
    SaveProgress,
)
from actors.resources.threads import Thread, UpdateThread
from actors.resources.users import User
from actors.runtime.future import LoopFuture
from actors.threads.inbox import RetireIfIdle
from actors.threads.message_stream import Ending, Stream
from actors.threads.message_streams import SendEphemeralState
from actors.threads.stream_timing import StreamClock
from tests.actors.clock import Clock
from tests.actors.house import House
from tests.builders import once, post, settle, until


@pytest.fixture
async def ana(house: House) -> Identity:
    return await house.user("ana")


@pytest.fixture
async def thread(house: House, ana: Identity) -> Thread:
    return await house.thread(ana)


async def begin(house: House, ana: Identity, thread: Thread, message_id: str = "s") -> AppendToMessage:
    """Begin a message; answers a command that appends to it."""
    await house.post(ana, thread, "", message_id=message_id, status="STREAMING")
    return AppendToMessage(identity=ana, thread_id=thread.id, message_id=message_id, text="some words")


async def content(house: House, message_id: str = "s") -> Any:
    return house.store.database.execute_sql("SELECT content FROM message WHERE uid = ?", (message_id,)).fetchone()[0]


async def test_what_was_written_is_saved_as_the_process_ends(house: House, ana: Identity, thread: Thread) -> None:
    await house.directory.ask(await begin(house, ana, thread))
    assert await content(house) == ""
    house.directory.stop()
    await until(lambda: house.journal.in_flight == 0)
    assert await content(house) == "some words"


async def test_how_long_a_first_piece_takes_is_measured_once(house: House, ana: Identity, thread: Thread) -> None:
    append = await begin(house, ana, thread)
    measured = house.stage.measures.first_piece_seconds
    assert measured.count == 0
    for _ in range(2):
        await house.directory.ask(append)
        assert measured.count == 1
    assert measured.sum >= 0.0


async def test_no_timer_outlives_the_actor_and_no_waiting_is_unanswered(
    house: House, ana: Identity, thread: Thread
) -> None:
    await house.directory.ask(await begin(house, ana, thread))
    ended = house.directory.thread(thread.id).ask(AwaitEnd("s"))
    await settle()
    actor = house.actor(thread)
    assert actor._streams is not None
    clock = actor._streams._clock
    timers = [timer for timer in (clock._telling, clock._minding) if timer is not None]
    assert len(timers) == 2
    assert not any(timer.cancelled() for timer in timers)
    actor.stop()
    with pytest.raises(ShuttingDown):
        await asyncio.wait_for(ended, 10)
    assert all(timer.cancelled() for timer in timers)


async def test_a_beginning_that_is_replayed_takes_no_place(
    house: House, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STREAMS_PER_THREAD", 2)
    command = post(ana, thread, "", message_id="s", status="STREAMING", once=once())
    for _ in range(3):
        assert (await house.do(command)).result.id == "s"
    await begin(house, ana, thread, "second")
    with pytest.raises(Conflict):
        await begin(house, ana, thread, "third")


async def test_after_a_beginning_that_is_refused_the_thread_goes_on(
    house: House, ana: Identity, thread: Thread, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = await house.watch(ana, thread)
    with pytest.raises(NotFound):
        await house.do(post(ana, thread, "", message_id="taken", status="STREAMING", parent_id="no-such-message"))
    await house.post(ana, thread)
    await until(lambda: [line for line in watcher.lines if line.endswith("message.created")] != [])
    assert caplog.records == []


async def test_a_beginning_that_is_refused_takes_no_place(
    house: House, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STREAMS_PER_THREAD", 1)
    for _ in range(2):
        with pytest.raises(NotFound):
            await house.do(post(ana, thread, "", message_id="taken", status="STREAMING", parent_id="no-such-message"))
    await begin(house, ana, thread)


async def test_an_end_that_comes_while_a_message_is_opened_ends_it(house: House, ana: Identity, thread: Thread) -> None:
    opened = house.directory.ask(post(ana, thread, "", message_id="s", status="STREAMING"))
    house.directory.tell_if_live(thread.id, EndMessage("s", "INTERRUPTED", "client_gone"))
    await opened
    ended = house.directory.thread(thread.id).ask(AwaitEnd("s"))
    message = await asyncio.wait_for(ended, 30)
    assert (message.status, message.metadata) == ("INTERRUPTED", '{"end_reason":"client_gone"}')
    assert house.stage.measures.streams_ended == {"client_gone": 1}


async def test_a_thread_does_not_retire_while_a_message_is_written(house: House, ana: Identity, thread: Thread) -> None:
    await begin(house, ana, thread)
    actor = house.actor(thread)
    idle = RetireIfIdle(house.stage.loop.time() + 1)
    actor.actor_ref.tell(idle)
    await settle()
    assert actor.actor_ref.is_alive()
    await house.do(FinishMessage(identity=ana, thread_id=thread.id, message_id="s", status="COMPLETE", content="all"))
    actor.actor_ref.tell(RetireIfIdle(house.stage.loop.time() + 1))
    await until(lambda: not actor.actor_ref.is_alive())


async def test_a_thread_that_was_loaded_and_never_used_retires(house: House, thread: Thread) -> None:
    actor = await house.load_actor(thread)
    actor.actor_ref.tell(RetireIfIdle(house.stage.loop.time()))
    await until(lambda: not actor.actor_ref.is_alive())


async def test_rights_are_looked_at_once_for_each_change(
    house: House, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    must_go_on = permissions.must_go_on

    def counted(*of: Any) -> None:
        looked.append(of[0])
        must_go_on(*of)

    await begin(house, ana, thread)
    monkeypatch.setattr(permissions, "must_go_on", counted)
    await house.do(UpdateThread(identity=ana, thread_id=thread.id, title="Another"))
    seen = len(looked)
    for _ in range(3):
        await house.post(ana, thread, "beside it")
    assert len(looked) == seen


async def test_a_stream_ends_with_its_credential_or_account_and_not_by_a_new_name(
    house: House, ana: Identity, thread: Thread
) -> None:
    def told(kind: ChangeKind, ref: str, user: User | None = None) -> None:
        changes = AccessChanges([AccessChange(1, kind, ref, user)])
        house.directory.thread(thread.id).tell(AuthorsChanged(changes))

    by_key = replace(ana, api_key_id="key")
    append = await begin(house, by_key, thread)
    told("user", ana.user.id, replace(ana.user, name="Anna"))
    told("api_key", "another")
    await house.directory.ask(append)
    ended = house.directory.thread(thread.id).ask(AwaitEnd("s"))
    told("api_key", "key")
    assert (await asyncio.wait_for(ended, 30)).status == "INTERRUPTED"
    await begin(house, ana, thread, "second")
    ended = house.directory.thread(thread.id).ask(AwaitEnd("second"))
    told("user", ana.user.id, replace(ana.user, status="DEACTIVATED"))
    assert (await asyncio.wait_for(ended, 30)).status == "INTERRUPTED"


async def test_a_stream_without_any_text_yet_ends_with_the_credential_that_began_it(
    house: House, ana: Identity, thread: Thread
) -> None:
    await begin(house, replace(ana, api_key_id="key"), thread)
    ended = house.directory.thread(thread.id).ask(AwaitEnd("s"))
    changes = AccessChanges([AccessChange(1, "api_key", "key", None)])
    house.directory.thread(thread.id).tell(AuthorsChanged(changes))
    assert (await asyncio.wait_for(ended, 30)).status == "INTERRUPTED"


@pytest.mark.parametrize(("content", "deltas"), [(UNSET, 2), ("something else", 1)])
async def test_the_rest_of_a_text_is_told_before_its_end_unless_another_takes_its_place(
    house: House, ana: Identity, thread: Thread, content: Any, deltas: int
) -> None:
    append = await begin(house, ana, thread)
    watcher = await house.watch(ana, thread)
    await house.directory.ask(append)
    await until(lambda: "0 message.delta" in watcher.lines)
    await house.directory.ask(append)  # held back until the next delta is due
    await house.do(FinishMessage(identity=ana, thread_id=thread.id, message_id="s", status="COMPLETE", content=content))
    await until(lambda: any(line.endswith("message.completed") for line in watcher.lines))
    assert watcher.lines.count("0 message.delta") == deltas


async def test_who_may_not_see_the_thread_hears_of_no_message(house: House, ana: Identity, thread: Thread) -> None:
    append = await begin(house, ana, thread)
    with pytest.raises(NotFound):
        await house.directory.ask(replace(append, identity=await house.user("stranger")))


async def test_a_piece_that_comes_after_the_end_was_asked_for_is_refused(
    house: House, ana: Identity, thread: Thread
) -> None:
    append = await begin(house, ana, thread)
    await house.directory.ask(append)
    finish = FinishMessage(identity=ana, thread_id=thread.id, message_id="s", status="COMPLETE")
    ended, late = house.directory.ask(finish), house.directory.ask(append)
    assert (await ended).result.content == "some words"
    with pytest.raises(Conflict):
        await asyncio.wait_for(late, 30)


async def test_a_person_interrupts_what_is_written_where_that_is_chosen(
    house: House, ana: Identity, thread: Thread
) -> None:
    bot = await house.user("bot", kind="ASSISTANT")
    await house.do(AddMember(identity=ana, thread_id=thread.id, user_id=bot.user.id))
    await house.do(UpdateThread(identity=ana, thread_id=thread.id, while_streaming="interrupt"))
    append = await begin(house, bot, thread)
    await house.directory.ask(append)
    await house.post(bot, thread, "beside it")
    ended = house.directory.thread(thread.id).ask(AwaitEnd("s"))
    said = house.directory.ask(post(ana, thread, "wait"))
    late = house.directory.ask(append)
    await said
    message = await asyncio.wait_for(ended, 30)
    assert (message.status, message.content) == ("INTERRUPTED", "some words")
    assert message.metadata == '{"end_reason":"interrupted"}'
    with pytest.raises(Conflict):
        await asyncio.wait_for(late, 30)


async def test_who_missed_something_gets_the_text_so_far_while_subscribed(
    house: House, ana: Identity, thread: Thread
) -> None:
    subscribed, other = await house.watch(ana, thread), house.peer()
    ref = house.directory.thread(thread.id)
    for peer in (subscribed, other):
        ref.tell(SendEphemeralState(peer.ref))
    await settle(30)
    assert subscribed.lines == [], "there is nothing to say"
    await house.directory.ask(await begin(house, ana, thread))
    await until(lambda: "0 message.delta" in subscribed.lines)
    for peer in (subscribed, other):
        ref.tell(SendEphemeralState(peer.ref))
    await until(lambda: subscribed.lines.count("0 message.delta") == 2)
    assert other.lines == []


async def test_one_that_an_earlier_actor_left_goes_on_and_ends_by_itself(
    house: House, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = await begin(house, ana, thread)
    await house.directory.ask(append)
    for limit in ("STREAM_SAVE_SECONDS", "STREAM_SILENT_SECONDS", "STREAM_RESUME_SECONDS"):
        monkeypatch.setattr(limits, limit, 0.01)
    house.actor(thread).save_progress()
    await until(lambda: house.journal.in_flight == 0)
    house.actor(thread)._retire()
    actor = await house.load_actor(thread)
    assert actor.is_written_into
    await until(lambda: not actor.state.streams)
    await house.post(ana, thread)
    assert await content(house) == "some words"


async def test_a_thread_knows_its_members_and_who_follows_it(house: House, ana: Identity, thread: Thread) -> None:
    house.directory.thread(thread.id)
    assert house.actor(thread).member_keys == {}, "it is not loaded yet"
    watcher = await house.watch(ana, thread)
    actor = house.actor(thread)
    assert (actor.member_keys, list(actor.followers)) == ({ana.user.key: "OWNER"}, [watcher.ref])
    assert not actor.is_written_into


async def test_a_thread_is_loaded_once_its_state_is_there(house: House, thread: Thread) -> None:
    house.directory.thread(thread.id)
    assert not house.actor(thread).is_loaded
    assert (await house.load_actor(thread)).is_loaded


# The clock alone


class Beat:
    """A stream clock whose time a test moves, and what it did."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.streams: dict[str, Stream] = {}
        self.told: list[str] = []
        self.saved: list[str] = []
        self.outcomes: list[LoopFuture[Any]] = []
        """Of what was to be saved."""
        self.is_overloaded = False
        self.ended: list[tuple[str, str]] = []
        loop: Any = self.clock
        self.stream_clock = StreamClock(
            loop, "t", self.streams, tell=self._tell, append=self._append,
            end=lambda stream, ending: self.ended.append((stream.message_id, ending.reason)),
        )  # fmt: skip

    def begin(self, message_id: str = "s", **more: Any) -> Stream:
        stream = self.streams[message_id] = Stream(message_id, 1, now=self.clock.now, **more)
        return stream

    def append(self, stream: Stream, text: str) -> None:
        stream.append(text, None, self.clock.now)
        self.stream_clock.appended()

    def _tell(self, deltas: list[Any]) -> None:
        assert all(delta.kind is MESSAGE_DELTA for delta in deltas)
        self.told += [f"{delta.data.index} {delta.data.text}" for delta in deltas]

    def _append(self, command: SaveProgress) -> LoopFuture[Any] | None:
        if self.is_overloaded:
            return None
        self.saved.append(command.content)
        self.outcomes.append(LoopFuture())
        return self.outcomes[-1]


@pytest.fixture
def beat() -> Iterator[Beat]:
    made = Beat()
    yield made
    made.stream_clock.stop()
    assert made.clock.pending == []


def test_the_first_piece_is_told_at_once_and_others_together(beat: Beat) -> None:
    stream = beat.begin()
    for word in ("one ", "two ", "three"):
        beat.append(stream, word)
    assert beat.told == ["0 one "]
    beat.clock.advance(limits.STREAM_DELTA_SECONDS)
    assert beat.told == ["0 one ", "4 two three"]
    beat.clock.advance(limits.STREAM_DELTA_SECONDS)
    assert len(beat.clock.pending) == 1, "nothing more to tell: only the other timer goes on"
    beat.append(stream, "!")
    assert beat.told[-1] == "13 !"


def test_what_is_new_is_saved_and_once(beat: Beat) -> None:
    stream = beat.begin()
    beat.append(stream, "words")
    for _ in range(3):
        beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    assert beat.saved == ["words"]
    beat.append(stream, ", and more")
    beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    assert beat.saved == ["words", "words, and more"]


def test_what_could_not_be_saved_is_saved_again(beat: Beat) -> None:
    stream = beat.begin()
    beat.is_overloaded = True
    beat.append(stream, "words")
    beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    beat.is_overloaded = False
    beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    assert beat.saved == ["words"]
    beat.outcomes[-1].set_exception(StorageUnavailable("the disk is full"))
    beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    assert beat.saved == ["words", "words"]
    beat.outcomes[-1].set(None)
    beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    assert beat.saved == ["words", "words"]


def test_who_says_nothing_new_for_long_is_seen_to_be_there(beat: Beat) -> None:
    """Or another process would take the message for abandoned."""
    stream = beat.begin()
    beat.append(stream, "words")
    beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    beat.clock.advance(limits.STREAM_SILENT_SECONDS / 3)
    beat.append(stream, "")
    beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    assert beat.saved == ["words"]
    beat.append(stream, "")
    beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    assert beat.saved == ["words", "words"]


def test_at_the_end_all_that_is_not_saved_is(beat: Beat) -> None:
    for message_id in ("saved", "new"):
        beat.append(beat.begin(message_id), message_id)
        beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    beat.append(beat.streams["new"], "er")
    beat.stream_clock.save()
    assert beat.saved == ["saved", "new", "newer"]


def test_a_new_subscriber_gets_what_was_told_so_far(beat: Beat) -> None:
    for message_id in ("told", "still unknown"):
        beat.append(beat.begin(message_id), message_id)
    beat.begin("empty")
    beat.begin("from before", is_resumed=True)
    beat.append(beat.streams["told"], ", and more")
    shown = [(each.data.message_id, each.data.index, each.data.text) for each in beat.stream_clock.snapshot()]
    assert shown == [("told", 0, "told"), ("from before", 0, "")]
    beat.clock.advance(limits.STREAM_DELTA_SECONDS)
    shown = [(each.data.message_id, each.data.index, each.data.text) for each in beat.stream_clock.snapshot()]
    assert shown == [("told", 0, "told, and more"), ("still unknown", 0, "still unknown"), ("from before", 0, "")]


def test_the_last_words_of_one_are_told_alone(beat: Beat) -> None:
    for message_id in ("first", "second"):
        beat.append(beat.begin(message_id), message_id)
    beat.told.clear()
    beat.append(beat.streams["first"], ", more")
    beat.stream_clock.flush(beat.streams["first"])
    assert beat.told == ["5 , more"]


def test_what_goes_silent_ends(beat: Beat) -> None:
    stream = beat.begin()
    beat.append(stream, "words")
    beat.clock.advance(limits.STREAM_SILENT_SECONDS)
    assert beat.ended == []
    beat.clock.advance(limits.STREAM_SAVE_SECONDS * 2)
    assert set(beat.ended) == {("s", "silent")}


def test_what_a_process_that_is_gone_began_ends_sooner(beat: Beat) -> None:
    stream = beat.begin(is_resumed=True)
    stream.touched_at = 0.0
    beat.stream_clock.watch()
    beat.clock.advance(limits.STREAM_RESUME_SECONDS + limits.STREAM_SAVE_SECONDS)
    assert beat.ended == []
    beat.clock.advance(limits.STREAM_SAVE_SECONDS * 2)
    assert set(beat.ended) == {("s", "server_restarted")}


def test_an_end_that_the_journal_could_not_take_is_asked_for_again(beat: Beat) -> None:
    stream = beat.begin()
    stream.ending, stream.finishing = Ending("interrupted"), 1
    beat.stream_clock.watch()
    beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    assert beat.ended == [], "it is with the journal"
    stream.finishing = 0
    beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    assert beat.ended == [("s", "interrupted")]


def test_where_nothing_is_written_there_is_no_timer(beat: Beat) -> None:
    beat.stream_clock.watch()
    assert beat.clock.pending == []
    stream = beat.begin()
    beat.append(stream, "words")
    beat.streams.clear()
    beat.clock.advance(limits.STREAM_SAVE_SECONDS)
    assert beat.clock.pending == []


def test_half_of_a_pair_counts_once_the_other_is_there_and_is_replaced_at_the_end() -> None:
    stream = Stream("s", 1)
    stream.append("a\ud83d", None, 0.0)
    assert (stream.text, stream.final_text, stream.length) == ("a", "a\ufffd", 1)
    stream.append("\ude00", None, 0.0)
    assert (stream.text, stream.final_text, stream.length) == ("a😀", "a😀", 2)


def test_the_other_half_of_a_pair_may_name_its_place() -> None:
    stream = Stream("s", 1)
    stream.append("a\ud83d", 0, 0.0)
    stream.append("\ude00", 1, 0.0)
    assert stream.final_text == "a😀"


def test_a_text_that_grows_too_long_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONTENT_BYTES", 5)
    stream = Stream("s", 1)
    stream.append("abcé", None, 0.0)
    with pytest.raises(TooLarge) as refusal:
        stream.append("é", None, 0.0)
    assert refusal.value.data == {"limit": 5, "actual": 7}
    assert (stream.text, stream.size) == ("abcé", 5)
