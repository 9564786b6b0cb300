"""Users, threads and connections of a run: prepared before it, taken away after it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from actors import limits
from loadtest.api import Api, session
from loadtest.figures import Figures
from loadtest.problems import Failed, LoadProblem
from loadtest.scenario import Scenario
from loadtest.subscriber import Subscriber

T = TypeVar("T")


@dataclass
class Thread:
    id: str
    owner: Api
    members: list[Subscriber]


class Crowd:
    """`tokens` are those of its users; where there are fewer than users, several have the same one."""

    def __init__(self, url: str, tokens: Sequence[str], scenario: Scenario, run: str, figures: Figures) -> None:
        self.scenario = scenario
        self.run = run
        self.figures = figures
        self.chance = random.Random(scenario.seed)  # noqa: S311 - which user acts next
        self._http: aiohttp.ClientSession = session()
        count = scenario.population.users
        self.apis = [Api(self._http, url, tokens[number % len(tokens)]) for number in range(count)]
        self.threads: list[Thread] = []
        self.subscribers: list[Subscriber] = []

    async def prepare(self) -> None:
        """Raises `LoadProblem` with what the server said. `close` afterwards in any case."""
        try:
            await self._prepare()
        except Failed as error:
            raise LoadProblem(_sentence(self.apis[0].url, error)) from None

    async def _prepare(self) -> None:
        ids = await self._ids()
        population = self.scenario.population
        joined: list[list[str]] = [[] for _ in self.apis]
        places: list[tuple[str, list[int]]] = []

        async def make(number: int) -> None:
            members = [(number * population.members + n) % population.users for n in range(population.members)]
            thread = await self._make(self.apis[members[0]], ids, members, number)
            places.append((thread, members))
            self.threads.append(Thread(thread, self.apis[members[0]], []))
            for member in members:
                joined[member].append(thread)

        await each(range(population.threads), make)
        self.subscribers = [
            Subscriber(api, self.run, threads, self.figures) for api, threads in zip(self.apis, joined, strict=True)
        ]
        for thread, (_, members) in zip(self.threads, places, strict=True):
            thread.members = [self.subscribers[member] for member in members]
        await each(self.subscribers, Subscriber.start)

    async def _ids(self) -> list[str]:
        """Of the users, each asked for once; a user who is new is created by the first request."""
        found: dict[str, str] = {}
        first = list({api.token: api for api in self.apis}.values())

        async def ask(api: Api) -> None:
            found[api.token] = (await api.get("/auth/me"))["id"]

        await ask(first[0])
        await each(first[1:], ask)
        return [found[api.token] for api in self.apis]

    async def _make(self, owner: Api, ids: Sequence[str], members: Sequence[int], number: int) -> str:
        others = {ids[member] for member in members} - {ids[members[0]]}
        added = [{"user_id": member} for member in sorted(others)]
        most = limits.INITIAL_MEMBERS
        thread = await owner.post(
            "/threads", title=f"Load test {self.run} {number}", members=added[:most], metadata={"load_test": self.run}
        )
        for member in added[most:]:
            await owner.post(f"/threads/{thread['id']}/members", **member)
        return str(thread["id"])

    async def heads(self) -> dict[str, int]:
        """Thread → offset of its newest event."""
        found: dict[str, int] = {}

        async def ask(thread: Thread) -> None:
            found[thread.id] = (await thread.owner.get(f"/threads/{thread.id}"))["offset"]

        await each(self.threads, ask)
        return found

    async def settle(self) -> int:
        """Wait until every subscriber has everything; answers how many have not."""
        heads = await self.heads()

        def late() -> int:
            return sum(any(True for _ in subscriber.behind(heads)) for subscriber in self.subscribers)

        end = asyncio.get_running_loop().time() + limits.LOAD_PATIENCE_SECONDS
        while late() and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.02)  # between two looks at what comes from another process
        return late()

    async def close(self) -> list[str]:
        """Disconnect and remove the threads; answers ids of those that could not be removed."""
        left: list[str] = []

        async def remove(thread: Thread) -> None:
            try:
                await thread.owner.delete(f"/threads/{thread.id}")
            except Failed:
                left.append(thread.id)

        try:
            await each(self.subscribers, Subscriber.close)
            await each(self.threads, remove)
        finally:
            await self._http.close()
        return left


async def each(things: Iterable[T], work: Callable[[T], Awaitable[Any]]) -> None:
    """Do it for all, some at a time. The first failure ends it; what has begun is awaited."""
    room = asyncio.Semaphore(limits.LOAD_SETUP)

    async def one(subject: T) -> None:
        async with room:
            await work(subject)

    tasks = [asyncio.ensure_future(one(subject)) for subject in things]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _sentence(url: str, error: Failed) -> str:
    if error.code == "away":
        return f"{url}: the server does not answer ({error.detail})."
    if error.status in (401, 403):
        return f"{url}: the server refuses the token: {error.detail or error.code}"
    return f"{url}: the run could not be prepared: {error}"
