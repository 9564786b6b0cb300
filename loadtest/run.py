"""One run of a scenario: arrivals start when they are due, however the server does."""

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from actors import limits
from loadtest.actions import ACTIONS, MEASURE_THEMSELVES
from loadtest.arrivals import Arrival, arrivals
from loadtest.crowd import Crowd
from loadtest.figures import Figures
from loadtest.marks import now
from loadtest.problems import Failed
from loadtest.scenario import ActionName, Scenario
from loadtest.soak.samples import Samples


@dataclass
class Outcome:
    """What a report is made of."""

    scenario: Scenario
    url: str
    run: str
    figures: Figures
    began: float
    """Unix time."""
    seconds: float = 0.0
    """From the first arrival to the last answer."""
    cpu: float = 0.0
    """Processor time of the generator, in cores."""
    interrupted: bool = False
    behind: int = 0
    """Subscribers that never got the newest event."""
    missed: int = 0
    doubled: int = 0
    unrecovered: int = 0
    reconnects: int = 0
    left: list[str] = field(default_factory=list)
    """Threads that could not be removed."""
    samples: Samples | None = None


class Run:
    """`stop` ends it early, with what it has. `watch`, where given, takes samples of the server meanwhile."""

    def __init__(
        self, url: str, tokens: Sequence[str], scenario: Scenario, stop: asyncio.Event, samples: Samples | None = None
    ) -> None:  # fmt: skip
        self.scenario = scenario
        self.figures = Figures(now())
        self.outcome = Outcome(scenario, url, secrets.token_hex(4), self.figures, time.time(), samples=samples)
        self._crowd = Crowd(url, tokens, scenario, self.outcome.run, self.figures)
        self._stop = stop
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, progress: Callable[[float], None] = lambda _: None) -> Outcome:
        """Prepare, load, settle, remove. `progress` hears the seconds since the first arrival. Raises `LoadProblem`."""
        try:
            if self.outcome.samples is not None:
                await self.outcome.samples.must_come()
            await self._crowd.prepare()
            await self._load(progress)
            await self._settle()
        finally:
            self._cancel()
            self.outcome.left = await self._crowd.close()
        return self.outcome

    async def _load(self, progress: Callable[[float], None]) -> None:
        sampling = asyncio.create_task(self.outcome.samples.take()) if self.outcome.samples else None
        began, cpu = now(), time.process_time()
        self.figures.started = began
        chance = random.Random(self.scenario.seed)  # noqa: S311 - which action is next
        try:
            for arrival in arrivals(self.scenario, chance):
                if await self._stopped_before(began + arrival.at):
                    self.outcome.interrupted = True
                    break
                self._start(arrival, began + arrival.at, chance)
                progress(arrival.at)
            await self._answered()
        finally:
            if sampling is not None:
                sampling.cancel()
                await asyncio.gather(sampling, return_exceptions=True)
        self.outcome.seconds = now() - began
        self.outcome.cpu = (time.process_time() - cpu) / max(self.outcome.seconds, 1e-9)

    async def _stopped_before(self, due: float) -> bool:
        """Wait until then; whether the run is to stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, due - now())):
                await self._stop.wait()
        return self._stop.is_set()

    def _start(self, arrival: Arrival, due: float, chance: random.Random) -> None:
        self.figures.lateness.add(max(0.0, now() - due))
        if arrival.storm:
            count = round(len(self._crowd.subscribers) * arrival.storm)
            for subscriber in chance.sample(self._crowd.subscribers, count):
                self._spawn(self._measured("reconnect", due, subscriber.lose()))
            return
        names = list(self.scenario.mix)
        name: ActionName = chance.choices(names, [self.scenario.mix[known] for known in names])[0]
        if len(self._tasks) >= limits.LOAD_IN_FLIGHT:
            self.figures.failed(name, "not_started", now())
            return
        self._spawn(self._measured(name, due, ACTIONS[name](self._crowd, due)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _measured(self, name: str, due: float, work: Awaitable[None]) -> None:
        try:
            await work
        except Failed as error:
            self.figures.failed(name, error.code, now())
        except asyncio.CancelledError:
            self.figures.failed(name, "no_answer", now())
            raise
        else:
            if name not in MEASURE_THEMSELVES:
                self.figures.done(name, due, now())

    async def _answered(self) -> None:
        """Wait for what has begun, for a while that is longer where answers are streamed; the rest has failed."""
        if not self._tasks:
            return
        answers = self.scenario.answers
        streaming = answers.pieces / answers.per_second if "stream" in self.scenario.mix else 0.0
        patience = limits.LOAD_PATIENCE_SECONDS + streaming
        _, late = await asyncio.wait(self._tasks, timeout=0.0 if self._stop.is_set() else patience)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _settle(self) -> None:
        outcome, subscribers = self.outcome, self._crowd.subscribers
        try:
            outcome.behind = await self._crowd.settle()
        except Failed as error:
            self.figures.failed("settle", error.code, now())
            outcome.behind = len(subscribers)  # of what they lack nothing is known
        cursors = [cursor for subscriber in subscribers for cursor in subscriber.cursors.values()]
        outcome.missed = sum(cursor.missed for cursor in cursors)
        outcome.doubled = sum(cursor.doubled for cursor in cursors)
        outcome.unrecovered = sum(subscriber.unrecovered for subscriber in subscribers)
        outcome.reconnects = sum(subscriber.reconnects for subscriber in subscribers)

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
