"""The messages that are being written in one thread, with a journal that answers when a test lets it."""

from dataclasses import replace
from typing import Any

import pytest

from actors import limits
from actors.auth.access_changes import AccessChange, AccessChanges, ChangeKind
from actors.auth.identity import Identity
from actors.delivery.ephemeral import Ephemeral
from actors.errors import Conflict, NotFound, Overloaded, ShuttingDown
from actors.events import Event
from actors.measures import Measures
from actors.outcomes import Done
from actors.resources.members import MemberGone
from actors.resources.message_streams import Appended, AppendToMessage, AuthorsChanged, EndMessage
from actors.resources.messages import InterruptMessage, Message, PostMessage
from actors.resources.threads import THREAD_DELETED, ThreadGone, WhileStreaming
from actors.resources.users import User
from actors.runtime.future import LoopFuture
from actors.threads.message_streams import ThreadStreams
from actors.threads.state import ThreadState
from tests.actors.clock import Clock
from tests.builders import identity, message_event, post

ANA, BOT = identity(1), identity(2, kind="ASSISTANT")


class Desk:
    """A thread in which an assistant writes."""

    def __init__(self, while_streaming: WhileStreaming = "parallel") -> None:
        self.clock = Clock()
        self.state = ThreadState(1, "t", "ACTIVE", 1, {1: "OWNER", 2: "MEMBER"}, while_streaming=while_streaming)
        self.measures = Measures()
        self.told: list[str] = []
        self.written: list[tuple[Any, LoopFuture[Any]]] = []
        self.is_overloaded = False
        loop: Any = self.clock
        self.streams = ThreadStreams(loop, self.state, tell=self._tell, append=self._append, measures=self.measures)

    def _tell(self, deltas: list[Ephemeral]) -> None:
        self.told += [f"{delta.data.message_id} {delta.data.index} {delta.data.text}" for delta in deltas]  # type: ignore[attr-defined]

    def _append(self, command: Any) -> LoopFuture[Any] | None:
        if self.is_overloaded:
            return None
        reply: LoopFuture[Any] = LoopFuture()
        self.written.append((command, reply))
        return reply

    @property
    def interrupted(self) -> list[tuple[str, str | None, str, str, Any]]:
        """Of each message that was asked of the journal to be ended: its id, text, status, why, and whose act."""
        return [
            (command.message_id, command.content, command.status, command.reason, command.actor)
            for command, _ in self.written
            if isinstance(command, InterruptMessage)
        ]

    def ask_to_open(self, message_id: str = "s", **more: Any) -> tuple[PostMessage, LoopFuture[Any]]:
        command = post(BOT, "t", message_id=message_id, status="STREAMING", **{"content": "", **more})
        reply: LoopFuture[Any] = LoopFuture()
        self.streams.open(command, reply)
        return command, reply

    def open(self, message_id: str = "s", **more: Any) -> None:
        command, _ = self.ask_to_open(message_id, **more)
        self.happens("message.created", message(message_id, content=command.content))

    def happens(self, event_type: str, data: object, actor: Identity = BOT) -> None:
        """An event was committed."""
        at = self.state.offset + 1
        event = Event(1, "t", at, at, event_type, 0, actor.author, data)
        self.streams.follow(event)
        self.state.apply(event)
        self.streams.begin(event.actor)

    def append(self, text: str, who: Identity = BOT, message_id: str = "s") -> Any:
        command = AppendToMessage(identity=who, thread_id="t", message_id=message_id, text=text)
        return self.streams.append(command, LoopFuture)

    def may_end(self, *message_ids: str) -> LoopFuture[Any]:
        """A command is in the journal that ends these."""
        reply: LoopFuture[Any] = LoopFuture()
        self.streams.may_end(message_ids, reply)
        return reply

    def await_end(self, message_id: str = "s") -> LoopFuture[Any]:
        reply: LoopFuture[Any] = LoopFuture()
        self.streams.await_end(message_id, reply)
        return reply


def message(message_id: str = "s", **fields: Any) -> Message:
    known = message_event(1).data
    assert isinstance(known, Message)
    given = {"author": BOT.author, "type": "ASSISTANT", "content": "", "status": "STREAMING", **fields}
    return replace(known, id=message_id, **given)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def is_refused(reply: LoopFuture[Any]) -> bool:
    return isinstance(reply.error, Conflict) and reply.error.code == "not_streaming"


# Begin


def test_one_that_is_opened_takes_a_place_unless_that_comes_to_nothing(desk: Desk) -> None:
    _, refused = desk.ask_to_open("refused")
    _, replayed = desk.ask_to_open("replayed")
    _, taken = desk.ask_to_open("taken")
    assert len(desk.streams) == 3
    refused.set_exception(Overloaded("too much"))
    replayed.set(Done(message("replayed"), replayed=True))
    taken.set(Done(message("taken")))
    assert len(desk.streams) == 1
    desk.happens("message.created", message("taken"))
    assert (len(desk.streams), list(desk.state.streams)) == (1, ["taken"])


def test_its_first_piece_is_told_as_it_begins(desk: Desk) -> None:
    desk.open(piece="Hel")
    assert desk.told == ["s 0 Hel"]
    assert desk.append("lo") == Appended(5)
    assert desk.measures.streams_begun == 1
    assert desk.measures.first_piece_seconds.count == 0, "it came with the beginning"


def test_how_long_the_first_piece_takes_is_measured_from_the_beginning(desk: Desk) -> None:
    desk.ask_to_open()
    desk.clock.advance(5.0)
    desk.happens("message.created", message())
    desk.clock.advance(2.0)
    desk.append("Hel")
    desk.append("lo")
    assert (desk.measures.first_piece_seconds.count, desk.measures.first_piece_seconds.sum) == (1, 2.0)


def test_one_that_another_process_began_is_not_begun_here(desk: Desk) -> None:
    desk.happens("message.created", message())
    assert (desk.measures.streams_begun, desk.state.streams["s"].identity) == (0, None)


# More


def test_only_its_author_appends_and_only_while_it_is_written(desk: Desk) -> None:
    desk.open()
    for who, message_id in ((ANA, "s"), (BOT, "another")):
        with pytest.raises(Conflict) as refusal:
            desk.append("x", who, message_id)
        assert refusal.value.code == "not_streaming"
    by_key = replace(BOT, api_key_id="key")
    assert desk.append("Hello", by_key) == Appended(5)
    assert desk.state.streams["s"].identity is by_key


def test_a_piece_waits_for_each_command_that_may_end_its_message(desk: Desk) -> None:
    desk.open()
    first, second = desk.may_end("s", "unknown"), desk.may_end("s")
    pieces = [desk.append(word) for word in ("Hello", " world")]
    first.set_exception(NotFound("message", "s"))
    assert not any(piece.done for piece in pieces), "the second may end it yet"
    second.set(Done(None, replayed=True))
    assert [piece.result() for piece in pieces] == [Appended(5), Appended(11)]


def test_a_piece_is_refused_as_soon_as_one_of_them_has_ended_it(desk: Desk) -> None:
    desk.open()
    first, second = desk.may_end("s"), desk.may_end("s")
    piece = desk.append("late")
    first.set(Done(None))
    assert is_refused(piece)
    later = desk.append("later still")
    second.set_exception(NotFound("message", "s"))
    assert is_refused(later)
    assert desk.state.streams["s"].text == ""


# More, before it has begun


def test_a_piece_that_comes_before_its_message_has_begun_waits_for_it(desk: Desk) -> None:
    _, opened = desk.ask_to_open(piece="Hel")
    opened.set(Done(message()))
    piece = desk.append("lo")
    for who in (ANA, BOT):
        with pytest.raises(Conflict):
            desk.append("x", who, "s" if who is ANA else "another")
    desk.happens("message.created", message())
    assert (piece.result(), desk.told) == (Appended(5), ["s 0 Hel"])
    assert desk.state.streams["s"].text == "Hello"


@pytest.mark.parametrize("outcome", ["refused", "replayed", "ended", "deleted thread"])
def test_such_a_piece_and_who_awaits_the_end_are_answered_where_the_message_does_not_begin(
    desk: Desk, outcome: str
) -> None:
    _, opened = desk.ask_to_open()
    piece, ended = desk.append("late"), desk.await_end()
    assert (piece.done, ended.done) == (False, False)
    complete = message(status="COMPLETE")
    match outcome:
        case "refused":
            opened.set_exception(Overloaded("too much"))
        case "replayed":
            opened.set(Done(complete, replayed=True))
        case "ended":
            desk.happens("message.completed", complete)
        case "deleted thread":
            desk.happens("message.created", message())
            desk.happens(THREAD_DELETED.name, ThreadGone("t"))
    assert ended.done
    assert len(desk.streams) == 0


def test_a_piece_waits_for_a_command_that_came_before_its_message_had_begun(desk: Desk) -> None:
    desk.ask_to_open(piece="Hel")
    assert desk.streams.text_of("s") == "Hel"
    ending = desk.may_end("s")
    piece = desk.append("lo")
    desk.happens("message.created", message())
    assert not piece.done, "it would be acknowledged, and not be in the message"
    ending.set(Done(None))
    assert is_refused(piece)


def test_a_retry_of_one_that_has_not_begun_leaves_it_alone(desk: Desk) -> None:
    desk.ask_to_open(piece="Hel")
    _, retry = desk.ask_to_open()
    retry.set(Done(message(), replayed=True))
    desk.happens("message.created", message())
    assert desk.told == ["s 0 Hel"]


def test_a_piece_that_waits_is_answered_as_the_server_stops(desk: Desk) -> None:
    desk.ask_to_open()
    piece = desk.append("late")
    desk.streams.stop()
    assert isinstance(piece.error, ShuttingDown)


# The end, by a command


def test_the_text_so_far(desk: Desk) -> None:
    assert desk.streams.text_of("s") is None
    desk.open(piece="Hello\ud83d")
    assert desk.streams.text_of("s") == "Hello\ufffd"


def test_a_user_interrupts_all_that_is_written_or_opened(desk: Desk) -> None:
    desk.open("written", piece="so far")
    desk.open("over")
    desk.may_end("over").set(Done(None))
    desk.ask_to_open("opened", content="I ", piece="think\ud83d")
    assert desk.streams.interruptions(ANA.author) == (
        InterruptMessage("t", "opened", "I think\ufffd", "INTERRUPTED", "interrupted", ANA.author),
        InterruptMessage("t", "written", "so far", "INTERRUPTED", "interrupted", ANA.author),
    )


# The end, by the server


def test_a_request_that_has_ended_ends_its_message(desk: Desk) -> None:
    desk.open(piece="so far")
    desk.streams.end(EndMessage("s", "FAILED", "client_gone"))
    desk.streams.end(EndMessage("unknown", "FAILED", "client_gone"))
    assert desk.interrupted == [("s", "so far", "FAILED", "client_gone", None)]


def test_one_that_ends_while_it_is_opened_ends_as_it_begins(desk: Desk) -> None:
    desk.ask_to_open(piece="so far")
    desk.streams.end(EndMessage("s", "INTERRUPTED", "client_gone"))
    assert desk.interrupted == []
    desk.happens("message.created", message())
    assert desk.interrupted == [("s", "so far", "INTERRUPTED", "client_gone", None)]


def test_an_end_is_decided_once_and_asked_for_until_the_journal_takes_it(desk: Desk) -> None:
    desk.open(piece="so far")
    desk.is_overloaded = True
    desk.streams.end(EndMessage("s", "INTERRUPTED", "client_gone"))
    with pytest.raises(Conflict):
        desk.append("late")
    desk.is_overloaded = False
    desk.clock.advance(limits.STREAM_SAVE_SECONDS)
    desk.streams.end(EndMessage("s", "FAILED", "another"))
    desk.clock.advance(limits.STREAM_SAVE_SECONDS)
    assert desk.interrupted == [("s", "so far", "INTERRUPTED", "client_gone", None)], "it is with the journal"
    desk.written[-1][1].set_exception(Overloaded("too much"))
    desk.streams.end(EndMessage("s", "FAILED", "another"))
    assert desk.interrupted == [("s", "so far", "INTERRUPTED", "client_gone", None)] * 2
    desk.written[-1][1].set(Done(None))
    desk.streams.end(EndMessage("s", "FAILED", "another"))
    desk.clock.advance(limits.STREAM_SAVE_SECONDS * 3)
    assert len(desk.interrupted) == 2


def test_pieces_that_wait_are_refused_once_the_server_has_ended_their_message(desk: Desk) -> None:
    desk.open()
    reply = desk.may_end("s")
    piece = desk.append("late")
    desk.streams.end(EndMessage("s", "INTERRUPTED", "client_gone"))
    assert is_refused(piece)
    reply.set_exception(NotFound("message", "s"))
    assert desk.interrupted == [("s", "", "INTERRUPTED", "client_gone", None)]


@pytest.mark.parametrize(
    ("kind", "ref", "user", "ends"),
    [
        ("api_key", "key", None, True), ("api_key", "another", None, False), ("user", BOT.user.id, BOT.user, False),
        ("user", BOT.user.id, replace(BOT.user, status="DEACTIVATED"), True),
        ("user", ANA.user.id, replace(ANA.user, status="DEACTIVATED"), False),
    ],
)  # fmt: skip
def test_one_ends_with_the_access_of_its_author(
    desk: Desk, kind: ChangeKind, ref: str, user: User | None, ends: bool
) -> None:
    desk.open()
    desk.append("so far", replace(BOT, api_key_id="key"))
    desk.streams.authors_changed(AuthorsChanged(AccessChanges([AccessChange(1, kind, ref, user)])))
    assert desk.interrupted == ([("s", "so far", "INTERRUPTED", "access_ended", None)] if ends else [])


def test_one_of_an_earlier_process_ends_with_its_author_s_account(desk: Desk) -> None:
    desk.happens("message.created", message())
    for kind, ref, user in (("api_key", "", None), ("user", BOT.user.id, replace(BOT.user, status="DELETED"))):
        desk.streams.authors_changed(AuthorsChanged(AccessChanges([AccessChange(1, kind, ref, user)])))  # type: ignore[arg-type]
    assert desk.interrupted == [("s", "", "INTERRUPTED", "access_ended", None)]


def test_one_ends_as_its_author_loses_the_right_to_write(desk: Desk) -> None:
    desk.open("s", piece="so far")
    desk.happens("member.removed", MemberGone(BOT.author), actor=ANA)
    assert desk.interrupted == [("s", "so far", "INTERRUPTED", "not_a_writer", ANA.author)]


@pytest.mark.parametrize(
    ("while_streaming", "writer", "ends"),
    [("interrupt", ANA, True), ("interrupt", BOT, False), ("parallel", ANA, False)],
)
def test_a_message_of_a_person_that_another_process_wrote_interrupts_where_that_is_chosen(
    while_streaming: WhileStreaming, writer: Identity, ends: bool
) -> None:
    desk = Desk(while_streaming)
    desk.open("s", piece="so far")
    for event_type in ("message.updated", "message.created"):
        assert desk.interrupted == []
        desk.happens(event_type, message("other", author=writer.author, status="COMPLETE"), actor=writer)
    assert desk.interrupted == ([("s", "so far", "INTERRUPTED", "interrupted", writer.author)] if ends else [])


# Ended


def test_who_awaits_an_end_gets_the_message_as_it_ended(desk: Desk) -> None:
    assert desk.await_end().done, "it is not being written"
    assert desk.await_end().result() is None
    desk.open()
    desk.open("other")
    first, second, other = desk.await_end(), desk.await_end(), desk.await_end("other")
    ended = message(status="COMPLETE", content="Hello")
    desk.happens("message.completed", ended)
    assert [first.result(), second.result(), other.done] == [ended, ended, False]
    desk.streams.stop()
    assert isinstance(other.error, ShuttingDown)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"status": "COMPLETE", "content": "Hello world"}, ["s 0 Hello", "s 5  world"]),
        ({"status": "COMPLETE", "content": "Another"}, ["s 0 Hello"]),
        ({"status": "STREAMING", "content": "Hello world", "deleted_at": 1}, ["s 0 Hello"]),
    ],
)
def test_the_last_words_are_told_before_the_end_where_they_stay(
    desk: Desk, fields: dict[str, Any], told: list[str]
) -> None:
    desk.open(piece="Hello")
    desk.append(" world")
    desk.happens("message.completed", message(**fields))
    assert desk.told == told


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "COMPLETE"}, "complete"),
        ({"status": "INTERRUPTED", "metadata": '{"end_reason":"silent"}'}, "silent"),
        ({"status": "FAILED", "metadata": '{"end_reason":"not_a_writer"}'}, "not_a_writer"),
        ({"status": "FAILED", "metadata": '{"end_reason":"an author\'s own"}'}, "failed"),
        ({"status": "FAILED", "metadata": '{"end_reason":["silent"]}'}, "failed"),
        ({"deleted_at": 1, "metadata": '{"end_reason":"silent"}'}, "deleted"),
    ],
)
def test_why_they_end_is_counted(desk: Desk, fields: dict[str, Any], reason: str) -> None:
    desk.open()
    for _ in range(2):
        desk.happens("message.completed", message(**fields))
    assert desk.measures.streams_ended == {reason: 1}


def test_a_deleted_thread_takes_its_streams_along(desk: Desk) -> None:
    desk.open()
    stream, ended = desk.state.streams["s"], desk.await_end()
    held = desk.may_end("s")
    piece = desk.append("late")
    desk.happens(THREAD_DELETED.name, ThreadGone("t"))
    assert isinstance(ended.error, NotFound)
    assert (len(desk.streams), stream.is_over) == (0, True)
    held.set_exception(NotFound("thread", "t"))
    assert is_refused(piece)
    desk.clock.advance(limits.STREAM_SAVE_SECONDS * 2)
    assert desk.clock.pending == []
