"""Actors on the event loop: what a turn is, what a failure costs, and how all of it ends."""

import asyncio
import gc
import logging
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pykka
import pytest
from pykka._envelope import Envelope

from actors import limits
from actors.errors import Conflict, Internal
from actors.runtime.loop_actor import BlockingOnEventLoop, LoopActor, LoopFuture, Stage, drive, handles
from tests.builders import settle, until


class Say:
    def __init__(self, text: str) -> None:
        self.text = text


class Fail(Say):
    pass


class Refuse(Say):
    pass


class Later(Say):
    pass


class Hold:
    pass


class Parrot(LoopActor):
    """Repeats what it is told, and notes it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.replies: list[LoopFuture[Any]] = []
        self.ends: list[int] = []
        self.stopped: list[str] | None = None

    @handles(Say)
    def _say(self, message: Say) -> str:
        self.heard.append(message.text)
        return message.text

    @handles(Fail)
    def _fail(self, message: Fail) -> None:
        raise ValueError(message.text)

    @handles(Refuse)
    def _refuse_it(self, message: Refuse) -> None:
        raise Conflict(message.text)

    @handles(Later)
    def _later(self, message: Later) -> Any:
        self.replies.append(self.defer())
        return self.replies[-1]

    @handles(Hold)
    def _hold(self, _: Hold) -> None:
        self.hold()

    def shout(self, text: str) -> str:
        return text.upper()

    def on_turn_end(self) -> None:
        self.ends.append(len(self.heard))

    def on_stop(self) -> None:
        if self.stopped is not None:
            self.stopped.append(self.actor_urn)


@pytest.fixture
def parrot(stage: Stage) -> Parrot:
    actor = Parrot()
    stage.start(actor)
    return actor


def ask(actor: LoopActor, message: Any) -> LoopFuture[Any]:
    future = actor.actor_ref.ask(message)
    assert isinstance(future, LoopFuture)
    return future


# Asking and telling


async def test_an_answer_can_be_awaited(parrot: Parrot) -> None:
    assert await ask(parrot, Say("hello")) == "hello"


async def test_the_handler_of_a_base_is_found_once(parrot: Parrot) -> None:
    class Whisper(Say):
        pass

    assert Whisper not in Parrot.handlers
    assert await ask(parrot, Whisper("hush")) == "hush"
    assert Parrot.handlers[Whisper] is Parrot.handlers[Say]


async def test_actors_and_what_waits_for_them_are_counted_by_class(stage: Stage, parrot: Parrot) -> None:
    class Crow(Parrot):
        pass

    stage.start(Parrot())
    stage.start(Crow())
    for text in ("one", "two", "three"):
        parrot.actor_ref.tell(Say(text))
    assert stage.inboxes() == {"Parrot": (2, 3), "Crow": (1, 0)}
    await settle()
    assert stage.inboxes() == {"Parrot": (2, 0), "Crow": (1, 0)}


async def test_nothing_is_handled_before_the_event_loop_comes_round(parrot: Parrot) -> None:
    parrot.actor_ref.tell(Say("hello"))
    future = ask(parrot, Say("there"))
    assert parrot.heard == []
    assert not future.done
    await settle()
    assert parrot.heard == ["hello", "there"]
    assert future.result() == "there"


async def test_messages_are_handled_in_their_order_whatever_their_kind(parrot: Parrot) -> None:
    futures = []
    for n in range(1000):
        if n % 3:
            parrot.actor_ref.tell(Say(f"{n}"))
        else:
            futures.append(ask(parrot, Say(f"{n}")))
    for future in futures:
        await future
    await until(lambda: len(parrot.heard) == 1000)
    assert parrot.heard == [f"{n}" for n in range(1000)]


async def test_an_answer_is_for_many(parrot: Parrot) -> None:
    future = ask(parrot, Later("one"))
    waiting = [asyncio.ensure_future(wait(future)) for _ in range(3)]
    await settle()
    parrot.replies[0].set("now")
    assert await asyncio.gather(*waiting) == ["now"] * 3
    assert await future == "now"  # and afterwards


async def wait(future: LoopFuture[Any]) -> Any:
    return await future


async def test_who_gives_up_waiting_disturbs_nobody(parrot: Parrot) -> None:
    future = ask(parrot, Later("one"))
    gone, stays = asyncio.ensure_future(wait(future)), asyncio.ensure_future(wait(future))
    await settle()
    gone.cancel()
    await settle()
    parrot.replies[0].set("now")
    assert await stays == "now"
    assert gone.cancelled()


async def test_get_on_the_event_loop_raises_instead_of_waiting_for_itself(parrot: Parrot) -> None:
    future = ask(parrot, Say("hello"))
    with pytest.raises(BlockingOnEventLoop, match="await the future instead"):
        future.get(timeout=1)
    await future
    assert future.get() == "hello"  # there is nothing to wait for any more


async def test_other_os_threads_ask_and_wait(parrot: Parrot) -> None:
    loop = asyncio.get_running_loop()
    answer = await loop.run_in_executor(None, lambda: parrot.actor_ref.ask(Say("from outside")).get(timeout=10))
    assert answer == "from outside"
    with pytest.raises(Internal):
        await loop.run_in_executor(None, lambda: parrot.actor_ref.ask(Fail("from outside")).get(timeout=10))


async def test_waiting_in_another_os_thread_ends_with_its_time(parrot: Parrot) -> None:
    loop = asyncio.get_running_loop()
    with pytest.raises(pykka.Timeout):
        await loop.run_in_executor(None, lambda: parrot.actor_ref.ask(Later("never")).get(timeout=0.01))


async def test_nothing_told_from_other_os_threads_is_lost(stage: Stage) -> None:
    parrots = [Parrot() for _ in range(3)]
    for parrot in parrots:
        stage.start(parrot)

    def tell_all(sender: int) -> None:
        for n in range(500):
            for parrot in parrots:
                parrot.actor_ref.tell(Say(f"{sender} {n}"))

    with ThreadPoolExecutor(4) as pool:
        await asyncio.gather(*(asyncio.get_running_loop().run_in_executor(pool, tell_all, n) for n in range(4)))
    for parrot in parrots:
        await until(lambda parrot=parrot: len(parrot.heard) == 2000)
        for sender in range(4):
            mine = [text for text in parrot.heard if text.startswith(f"{sender} ")]
            assert mine == [f"{sender} {n}" for n in range(500)]


async def test_proxies_of_pykka_work(parrot: Parrot) -> None:
    assert await parrot.actor_ref.proxy().shout("quiet") == "QUIET"


async def test_handlers_are_inherited_and_overridden(stage: Stage) -> None:
    class Louder(Parrot):
        @handles(Say)
        def _say(self, message: Say) -> str:
            return message.text.upper()

    louder = Louder()
    stage.start(louder)
    assert await ask(louder, Say("hello")) == "HELLO"
    with pytest.raises(Conflict):
        await ask(louder, Refuse("inherited"))
    assert Parrot.handlers[Say] is not Louder.handlers[Say]


class SayKindly(Say):
    pass


async def test_a_message_is_handled_as_its_base_is(parrot: Parrot) -> None:
    assert await ask(parrot, SayKindly("please")) == await ask(parrot, Say("please"))


# What fails


async def test_a_failing_ask_is_answered_and_the_actor_lives(parrot: Parrot, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Internal) as caught:
        await ask(parrot, Fail("private detail"))
    assert "private detail" not in str(caught.value)
    assert "failed on Fail" in caplog.text
    assert "private detail" in caplog.text
    assert await ask(parrot, Say("still here")) == "still here"


async def test_a_failing_tell_is_logged_and_the_actor_lives(parrot: Parrot, caplog: pytest.LogCaptureFixture) -> None:
    for message in (Say("1"), Fail("nobody waits"), Refuse("nor here"), Say("2")):
        parrot.actor_ref.tell(message)
    await until(lambda: parrot.heard == ["1", "2"])
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert parrot.actor_ref.is_alive()


async def test_a_refusal_reaches_who_asked_and_is_no_news_for_the_log(
    parrot: Parrot, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Conflict, match="not so"):
        await ask(parrot, Refuse("not so"))
    assert caplog.records == []


async def test_a_failing_end_of_turn_is_contained(
    parrot: Parrot, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parrot, "on_turn_end", lambda: 1 // 0)
    assert await ask(parrot, Say("one")) == "one"
    await settle()
    assert "failed at the end of its turn" in caplog.text
    assert await ask(parrot, Say("two")) == "two"


@pytest.mark.parametrize("message", [object(), "text", None, {"a": 1}])
async def test_a_message_of_no_known_type_is_logged_and_answered(
    parrot: Parrot, message: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert await ask(parrot, message) is None
    assert "Unexpected message" in caplog.text
    assert await ask(parrot, Say("still here")) == "still here"


async def test_one_bad_listener_of_an_answer_keeps_it_from_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """A batch of replies is given in one go: a defect behind one must not swallow the others'."""
    future: LoopFuture[str] = LoopFuture()
    told: list[str] = []
    future.when_done(lambda done: told.append(f"first {done.result()}"))
    future.when_done(lambda done: 1 // 0)
    future.when_done(lambda done: told.append(f"last {done.result()}"))
    future.set("x")
    assert told == ["first x", "last x"]
    assert "ZeroDivisionError" in caplog.text


async def test_who_listens_too_late_is_told_at_once() -> None:
    future: LoopFuture[str] = LoopFuture()
    future.set("x")
    told: list[str] = []
    future.when_done(lambda done: told.append(done.result()))
    assert told == ["x"]


async def test_an_answer_is_given_once() -> None:
    future: LoopFuture[str] = LoopFuture()
    future.set("x")
    with pytest.raises(RuntimeError, match="already given"):
        future.set("y")
    with pytest.raises(RuntimeError):
        future.set_exception(ValueError())
    assert await future == "x"


async def test_exceptions_are_taken_in_every_form_of_pykka() -> None:
    def failed(*given: Any) -> LoopFuture[Any]:
        future: LoopFuture[Any] = LoopFuture()
        try:
            raise KeyError("current")
        except KeyError:
            future.set_exception(*given)
        return future

    error = ValueError("mine")
    assert failed(error).error is error
    assert failed((ValueError, error, None)).error is error
    assert isinstance(failed().error, KeyError)
    bare: LoopFuture[Any] = LoopFuture()
    bare.set_exception()
    assert isinstance(bare.error, RuntimeError)


# Turns


async def test_a_turn_ends_once_for_all_that_had_arrived(parrot: Parrot) -> None:
    for n in range(10):
        parrot.actor_ref.tell(Say(f"{n}"))
    await until(lambda: parrot.ends)
    assert parrot.ends == [10]
    parrot.actor_ref.tell(Say("more"))
    await until(lambda: len(parrot.ends) == 2)
    assert parrot.ends == [10, 11]


async def test_a_long_inbox_lets_others_have_their_turn(stage: Stage, parrot: Parrot) -> None:
    other = Parrot()
    stage.start(other)
    for n in range(limits.TURN_MESSAGES * 3):
        parrot.actor_ref.tell(Say(f"{n}"))
    heard_before: list[int] = []
    ask(other, Say("me too")).when_done(lambda _: heard_before.append(len(parrot.heard)))
    await until(lambda: heard_before)
    assert heard_before == [limits.TURN_MESSAGES]
    await until(lambda: len(parrot.heard) == limits.TURN_MESSAGES * 3)
    assert parrot.ends == [limits.TURN_MESSAGES * n for n in (1, 2, 3)]


async def test_what_an_actor_tells_itself_waits_for_its_turn(stage: Stage) -> None:
    class Echo(Parrot):
        @handles(Say)
        def _say(self, message: Say) -> str:
            if len(self.heard) < 3:
                self.actor_ref.tell(Say(f"{message.text}!"))
            self.heard.append(message.text)
            return message.text

    echo = Echo()
    stage.start(echo)
    await ask(echo, Say("a"))
    await ask(echo, Say("b"))
    await until(lambda: len(echo.heard) == 5)
    assert echo.heard == ["a", "a!", "b", "a!!", "b!"] or echo.heard == ["a", "a!", "a!!", "a!!!", "b"]


# Deferring and holding


async def test_a_deferred_reply_comes_when_it_is_given(parrot: Parrot) -> None:
    first, second = ask(parrot, Later("1")), ask(parrot, Later("2"))
    assert await ask(parrot, Say("between")) == "between"
    assert (first.done, second.done) == (False, False)
    parrot.replies[1].set("two")
    parrot.replies[0].set_exception(Conflict("one"))
    assert await second == "two"
    with pytest.raises(Conflict, match="one"):
        await first


async def test_a_deferred_reply_to_a_tell_is_nobodys(parrot: Parrot) -> None:
    parrot.actor_ref.tell(Later("1"))
    await until(lambda: parrot.replies)
    parrot.replies[0].set("nobody listens")
    assert await ask(parrot, Say("still here")) == "still here"


async def test_a_held_inbox_waits_and_keeps_its_order(parrot: Parrot) -> None:
    parrot.actor_ref.tell(Hold())
    parrot.actor_ref.tell(Say("1"))
    await settle()
    waiting = ask(parrot, Say("2"))
    await settle()
    assert parrot.heard == []
    parrot.urgent(Say("urgent"))
    assert parrot.heard == ["urgent"]
    parrot.release()
    assert await waiting == "2"
    assert parrot.heard == ["urgent", "1", "2"]


async def test_holding_and_releasing_an_empty_inbox(parrot: Parrot) -> None:
    parrot.hold()
    await settle()
    parrot.release()
    assert await ask(parrot, Say("hello")) == "hello"


async def test_an_urgent_message_within_a_handler_leaves_its_reply_alone(stage: Stage) -> None:
    class Nested(Parrot):
        @handles(Later)
        def _later(self, message: Later) -> Any:
            self.urgent(Say("inner"))
            return super()._later(message)  # its defer() takes the outer message's reply

    nested = Nested()
    stage.start(nested)
    future = ask(nested, Later("outer"))
    await until(lambda: nested.replies)
    nested.replies[0].set("answered")
    assert await future == "answered"


async def test_a_failing_urgent_message_is_contained(parrot: Parrot, caplog: pytest.LogCaptureFixture) -> None:
    parrot.urgent(Fail("urgent"))
    assert "failed on Fail" in caplog.text


# Starting and stopping


async def test_stopping_answers_who_still_waits(parrot: Parrot) -> None:
    parrot.actor_ref.tell(Hold())
    await settle()
    waiting = [ask(parrot, Say("1")), ask(parrot, Say("2"))]
    parrot._stop()
    for future in waiting:
        with pytest.raises(pykka.ActorDeadError, match="stopped before handling the message"):
            await future
    assert parrot.heard == []


async def test_stop_comes_after_what_was_said_before(parrot: Parrot) -> None:
    first = ask(parrot, Say("1"))
    parrot.stop()
    second = ask(parrot, Say("2"))
    assert await first == "1"
    with pytest.raises(pykka.ActorDeadError):
        await second
    assert not parrot.actor_ref.is_alive()


async def test_a_stopped_actor_takes_no_messages(parrot: Parrot) -> None:
    parrot.stop()
    await settle()
    with pytest.raises(pykka.ActorDeadError):
        parrot.actor_ref.tell(Say("hello"))
    with pytest.raises(pykka.ActorDeadError):
        await ask(parrot, Say("hello"))
    parrot.urgent(Say("urgent"))
    assert parrot.heard == []


async def test_what_another_os_thread_asks_as_the_actor_stops_is_refused(parrot: Parrot) -> None:
    """It may come between the last look into the inbox and the end."""
    future: LoopFuture[Any] = LoopFuture()
    parrot._stop()
    parrot._inbox.append(Envelope(Say("late"), reply_to=future))
    parrot.turn()
    with pytest.raises(pykka.ActorDeadError, match="stopped before handling the message"):
        await future
    assert parrot.heard == []


async def test_who_keeps_a_reference_does_not_keep_an_actor_that_has_stopped(stage: Stage) -> None:
    """Not until the garbage collector comes round, either."""
    gc.disable()
    try:
        actor = Parrot()
        there, ref = weakref.ref(actor), stage.start(actor)
        actor._stop()
        del actor
        assert there() is None
        assert not ref.is_alive()
    finally:
        gc.enable()


async def test_actors_without_a_send_buffer_hold_no_bytes(stage: Stage, parrot: Parrot) -> None:
    stage.start(Parrot())
    assert stage.unsent_bytes() == 0


async def test_another_os_thread_wakes_the_event_loop_once_for_many(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    parrots, wakes = [Parrot() for _ in range(3)], list[str]()
    call = stage.loop.call_soon_threadsafe

    def counted(*given: Any) -> Any:
        wakes.append("wakes")
        return call(*given)

    monkeypatch.setattr(stage.loop, "call_soon_threadsafe", counted)
    refs = [stage.start(parrot) for parrot in parrots]
    for round_number in (1, 2):
        other = threading.Thread(target=lambda: [ref.tell(Say("hello")) for ref in refs])
        other.start()
        other.join()  # the event loop does not come round meanwhile
        assert len(wakes) == round_number
        await until(lambda round_number=round_number: [len(each.heard) for each in parrots] == [round_number] * 3)  # type: ignore[misc]


async def test_stopping_twice_answers_both(parrot: Parrot) -> None:
    first, second = ask(parrot, pykka.messages._ActorStop()), ask(parrot, pykka.messages._ActorStop())
    assert await first is None
    assert await second is None


async def test_other_os_threads_stop_actors(parrot: Parrot) -> None:
    assert await asyncio.get_running_loop().run_in_executor(None, lambda: parrot.actor_ref.stop(timeout=10)) is True
    assert not parrot.actor_ref.is_alive()


async def test_all_stop_in_the_reverse_order_of_their_start(stage: Stage) -> None:
    order: list[str] = []
    actors = [Parrot() for _ in range(5)]
    for actor in actors:
        actor.stopped = order
        stage.start(actor)
    actors[2]._stop()
    assert stage.count() == 4
    stage.stop_all()
    assert order == [actors[n].actor_urn for n in (2, 4, 3, 1, 0)]
    assert stage.count() == 0
    stage.stop_all()
    assert len(order) == 5


async def test_a_failing_stop_does_not_keep_others_running(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    class Clumsy(Parrot):
        def on_stop(self) -> None:
            raise ValueError("tripped")

    first, clumsy, last = Parrot(), Clumsy(), Parrot()
    for actor in (first, clumsy, last):
        stage.start(actor)
    waiting = ask(clumsy, Say("hello"))
    stage.stop_all()
    assert not any(actor.actor_ref.is_alive() for actor in (first, clumsy, last))
    assert "failed while stopping" in caplog.text
    with pytest.raises(pykka.ActorDeadError):
        await waiting


async def test_an_actor_that_cannot_start_is_dead(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    class Stillborn(Parrot):
        def on_start(self) -> None:
            raise ValueError("no")

    ref = stage.start(Stillborn())
    assert not ref.is_alive()
    assert stage.count() == 0
    assert "could not start" in caplog.text


async def test_on_start_has_run_when_start_returns(stage: Stage) -> None:
    class Early(Parrot):
        def on_start(self) -> None:
            self.heard.append("started")

    early = Early()
    stage.start(early)
    assert early.heard == ["started"]
    assert (stage.count(), stage.count(Early), stage.count(Parrot)) == (1, 1, 1)


# What actors cost


async def test_an_idle_actor_has_no_os_thread_and_no_task(stage: Stage) -> None:
    threads, tasks = threading.active_count(), len(asyncio.all_tasks())
    parrots = [Parrot() for _ in range(1000)]
    for parrot in parrots:
        stage.start(parrot)
    for parrot in parrots:
        await ask(parrot, Say("hello"))
    assert threading.active_count() == threads
    assert len(asyncio.all_tasks()) == tasks


async def test_ten_thousand_actors_start_and_stop_at_once(stage: Stage) -> None:
    """Pykka's own registry would search a list of all for each one that stops."""
    began = time.perf_counter()
    parrots = [Parrot() for _ in range(10_000)]
    for parrot in parrots:
        stage.start(parrot)
    assert stage.count() == 10_000
    assert not pykka.ActorRegistry.get_by_class(Parrot)
    for parrot in parrots:
        parrot.stop()
    await until(lambda: stage.count() == 0)
    assert time.perf_counter() - began < 3


# Work without a task


async def driven(work: Any) -> LoopFuture[Any]:
    """What came of it, once it is done."""
    outcomes: list[LoopFuture[Any]] = []
    drive(work, outcomes.append)
    await until(lambda: outcomes)
    assert len(outcomes) == 1
    return outcomes[0]


async def test_driven_work_runs_without_a_task(parrot: Parrot) -> None:
    async def work() -> list[Any]:
        told = [await ask(parrot, Say("1"))]
        await asyncio.sleep(0)
        told.append(await asyncio.get_running_loop().run_in_executor(None, lambda: "2"))
        told.append(await inner())
        return [*told, asyncio.current_task()]

    async def inner() -> Any:
        return await ask(parrot, Say("3"))

    assert (await driven(work())).result() == ["1", "2", "3", None]


async def test_the_first_step_of_driven_work_is_taken_at_once() -> None:
    steps: list[str] = []

    async def work() -> None:
        steps.append("first")

    drive(work(), lambda outcome: steps.append("done"))
    assert steps == ["first", "done"]


async def test_errors_come_into_driven_work_and_out_of_it(parrot: Parrot) -> None:
    async def work() -> str:
        with pytest.raises(Conflict):
            await ask(parrot, Refuse("inside"))
        with pytest.raises(OSError, match="from the executor"):
            await asyncio.get_running_loop().run_in_executor(None, raise_os_error)
        raise KeyError("outside")

    def raise_os_error() -> None:
        raise OSError("from the executor")

    error = (await driven(work())).error
    assert isinstance(error, KeyError)
    assert error.__traceback__ is None, "its frames would keep all that the work had"


async def test_driven_work_is_answered_in_the_turn_of_its_reply(parrot: Parrot) -> None:
    done: list[Any] = []

    async def work() -> Any:
        return await ask(parrot, Later("reply"))

    drive(work(), done.append)
    await until(lambda: parrot.replies)
    parrot.replies[0].set("now")
    assert [outcome.result() for outcome in done] == ["now"]


async def test_tasks_and_driven_work_await_the_same_answer(parrot: Parrot) -> None:
    future = ask(parrot, Later("shared"))
    task = asyncio.ensure_future(wait(future))
    outcomes: list[LoopFuture[Any]] = []
    drive(wait(future), outcomes.append)
    await until(lambda: parrot.replies)
    await settle()
    parrot.replies[0].set("both")
    assert await task == "both"
    assert outcomes[0].result() == "both"


async def test_driven_work_inside_driven_work(parrot: Parrot) -> None:
    inner: list[LoopFuture[Any]] = []

    async def outer() -> Any:
        drive(wait(ask(parrot, Say("inner"))), inner.append)
        return await ask(parrot, Say("outer"))

    assert (await driven(outer())).result() == "outer"
    assert inner[0].result() == "inner"


async def test_a_task_made_by_driven_work_waits_as_tasks_do(parrot: Parrot) -> None:
    async def work() -> Any:
        return await asyncio.ensure_future(wait(ask(parrot, Say("by a task"))))

    assert (await driven(work())).result() == "by a task"


async def test_driven_work_that_is_done_is_gone_at_once(parrot: Parrot) -> None:
    """Not when the garbage collector comes round."""
    gc.disable()
    try:
        work = wait(ask(parrot, Say("hello")))
        there = weakref.ref(work)
        drive(work, lambda outcome: None)
        del work
        await until(lambda: parrot.heard)
        await settle()
        assert there() is None
    finally:
        gc.enable()


async def test_driven_work_whose_future_is_cancelled_is_answered() -> None:
    future = asyncio.get_running_loop().create_future()

    async def work() -> None:
        await future

    outcomes: list[LoopFuture[Any]] = []
    drive(work(), outcomes.append)
    future.cancel()
    await until(lambda: outcomes)
    assert isinstance(outcomes[0].error, asyncio.CancelledError)
