"""Whose turn it is: what serves a crowd waits for what does not, and is not forgotten."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from actors import limits
from actors.delivery.channel import Audience, Subscribe
from actors.delivery.publication import Publication, Publications
from actors.measures import Measures
from actors.runtime.loop_actor import LoopActor, Stage, handles
from actors.runtime.run_queue import RunQueue
from tests.builders import identity, settle, until


@dataclass(frozen=True)
class News:
    number: int = 0
    is_low_priority = True


@dataclass(frozen=True)
class Question:
    number: int = 0


class Reader(LoopActor):
    def __init__(self, seen: list[Any]) -> None:
        super().__init__()
        self._seen = seen

    @handles(News, Question)
    def _take(self, message: News | Question) -> int:
        self._seen.append(message)
        return message.number


class LowPriority(Reader):
    @property
    def is_low_priority(self) -> bool:
        return True


@pytest.fixture
def seen() -> list[Any]:
    return []


@pytest.fixture
def one_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """One turn of low priority in each round, the least possible."""
    monkeypatch.setattr(limits, "LOW_PRIORITY_SECONDS", 0.0)
    monkeypatch.setattr(limits, "LOW_PRIORITY_SHARE", 0.0)


def readers(stage: Stage, seen: list[Any], count: int, kind: type[Reader] = Reader) -> list[Reader]:
    made = [kind(seen) for _ in range(count)]
    for reader in made:
        stage.start(reader)
    return made


async def answer(reader: Reader, question: Question) -> Any:
    return await reader.actor_ref.ask(question)


@pytest.mark.usefixtures("one_a_round")
async def test_an_answer_does_not_wait_for_a_crowd(stage: Stage, seen: list[Any]) -> None:
    crowd, (light,) = readers(stage, seen, 200), readers(stage, seen, 1)
    for reader in crowd:
        reader.actor_ref.tell(News())
    assert [await answer(light, Question(number)) for number in range(3)] == [0, 1, 2]
    assert len(seen) < 20
    await until(lambda: seen.count(News()) == 200)


@pytest.mark.usefixtures("one_a_round")
async def test_a_crowd_is_served_while_others_are_never_silent(stage: Stage, seen: list[Any]) -> None:
    class Restless(LoopActor):
        asked = 0

        @handles(Question)
        def _again(self, question: Question) -> None:
            self.asked += 1
            self.actor_ref.tell(question)

    restless = Restless()
    stage.start(restless).tell(Question())
    for reader in readers(stage, seen, 50):
        reader.actor_ref.tell(News())
    await until(lambda: len(seen) == 50)
    assert restless.asked >= 50
    restless.stop()


@pytest.mark.usefixtures("one_a_round")
async def test_who_waits_for_a_turn_among_many_gets_one_at_once_for_an_answer(stage: Stage, seen: list[Any]) -> None:
    """With all that came before it: the order of its inbox holds."""
    crowd = readers(stage, seen, 200)
    for reader in crowd:
        reader.actor_ref.tell(News())
    last = crowd[-1]
    last.actor_ref.tell(News(1))
    assert await answer(last, Question(7)) == 7
    at = seen.index(Question(7))
    assert at < 20
    assert seen[at - 2 : at] == [News(), News(1)]
    await until(lambda: len(seen) == 202)
    last.actor_ref.tell(News(2))
    await until(lambda: seen[-1] == News(2))


@pytest.mark.usefixtures("one_a_round")
async def test_who_serves_a_crowd_waits_with_it(stage: Stage, seen: list[Any]) -> None:
    crowd, (channel,) = readers(stage, seen, 100), readers(stage, seen, 1, LowPriority)
    for reader in crowd:
        reader.actor_ref.tell(News())
    assert await answer(channel, Question(1)) == 1
    assert seen.index(Question(1)) == 100


async def test_a_turn_of_low_priority_is_for_all_that_has_arrived(stage: Stage, seen: list[Any]) -> None:
    class Counting(LowPriority):
        turns = 0

        def on_turn_end(self) -> None:
            self.turns += 1

    counting = Counting(seen)
    stage.start(counting)
    for number in range(3):
        counting.actor_ref.tell(News(number))
    await until(lambda: len(seen) == 3)
    await settle()
    assert counting.turns == 1


class Turn:
    """Takes some time of a clock."""

    def __init__(self, clock: list[float], seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self.taken = 0

    def turn(self) -> None:
        self._clock[0] += self._seconds
        self.taken += 1


@pytest.mark.parametrize(("others", "turns"), [(0.0, 10), (0.0004, 10), (0.008, 100), (0.016, 200)])
async def test_a_round_has_time_for_so_many_turns_of_low_priority(others: float, turns: int) -> None:
    """At least a moment; and where others take long, a share of what they took."""
    clock = [100.0]
    queue = RunQueue(asyncio.get_running_loop(), lambda: clock[0])
    one, waiting = Turn(clock, limits.LOW_PRIORITY_SECONDS / 9.5), Turn(clock, 0.0)
    assert limits.LOW_PRIORITY_SHARE == 1 / 8
    for _ in range(1_000):
        queue.put_low_priority(one)
    for _ in range(3):
        clock[0] += others
        before = one.taken
        queue.put(waiting)
        await asyncio.sleep(0)
        assert one.taken - before == pytest.approx(turns, rel=0.06)
    assert waiting.taken == 3


async def test_the_share_counts_from_the_first_that_waits() -> None:
    clock = [100.0]
    queue = RunQueue(asyncio.get_running_loop(), lambda: clock[0])
    one = Turn(clock, limits.LOW_PRIORITY_SECONDS / 9.5)
    queue.put_low_priority(one)
    clock[0] += 0.016
    for _ in range(999):
        queue.put_low_priority(one)
    await asyncio.sleep(0)
    assert one.taken == pytest.approx(0.016 * limits.LOW_PRIORITY_SHARE / (limits.LOW_PRIORITY_SECONDS / 9.5), rel=0.06)


async def test_idle_time_is_nobodys_share() -> None:
    clock = [100.0]
    queue = RunQueue(asyncio.get_running_loop(), lambda: clock[0])
    one = Turn(clock, limits.LOW_PRIORITY_SECONDS / 9.5)
    for _ in range(2):
        clock[0] += 3600.0
        before = one.taken
        for _ in range(20):
            queue.put_low_priority(one)
        await asyncio.sleep(0)
        assert one.taken - before == 10
        await asyncio.sleep(0)
        assert one.taken - before == 20


async def test_one_round_of_so_many_is_measured() -> None:
    clock, measures = [100.0], Measures()
    queue = RunQueue(asyncio.get_running_loop(), lambda: clock[0], measures)
    one = Turn(clock, 0.25)
    for round_number in range(1, 2 * limits.MEASURED_ROUNDS + 1):
        queue.put(one)
        await asyncio.sleep(0)
        assert measures.round_seconds.count == round_number // limits.MEASURED_ROUNDS
    assert one.taken == 2 * limits.MEASURED_ROUNDS
    assert measures.round_seconds.sum == measures.turn_seconds["Turn"].sum == 0.5


@pytest.mark.parametrize("kind", [Reader, LowPriority])
async def test_what_is_asked_in_the_very_turn_of_an_answer(stage: Stage, seen: list[Any], kind: type[Reader]) -> None:
    """It is handled in that turn, and the one it was scheduled for finds nothing."""
    (reader,) = readers(stage, seen, 1, kind)
    for _ in range(3):
        asked = reader.actor_ref.ask(Question(1))
        asked.when_done(lambda _: reader.actor_ref.tell(Question(2)))  # type: ignore[attr-defined]
        await until(lambda: seen[-2:] == [Question(1), Question(2)])
        seen.clear()
        await asyncio.sleep(0)


async def test_a_turn_that_is_cancelled_is_nobody_elses_end(stage: Stage, seen: list[Any]) -> None:
    class Cancelled(LoopActor):
        @handles(Question)
        def _fail(self, _: Question) -> None:
            raise asyncio.CancelledError

    errors: list[dict[str, Any]] = []
    stage.loop.set_exception_handler(lambda _, context: errors.append(context))
    broken = Cancelled()
    stage.start(broken).tell(Question())
    high, low = readers(stage, seen, 2)
    low.actor_ref.tell(News())
    assert await asyncio.wait_for(answer(high, Question(3)), 10) == 3
    await until(lambda: News() in seen)


async def test_what_goes_to_a_crowd_says_so(stage: Stage, seen: list[Any]) -> None:
    audience = Audience("thread:t")
    for number, reader in enumerate(readers(stage, seen, limits.CROWD + 1)):
        shared = Publications("thread:t", [Publication(number + 1, number + 1, "e", b"")])
        audience.tell(shared)
        assert not shared.is_low_priority
        assert not audience.is_crowd
        audience.join(Subscribe(identity(number), reader.actor_ref))
    audience.tell(shared)
    assert audience.is_crowd
    assert shared.is_low_priority
