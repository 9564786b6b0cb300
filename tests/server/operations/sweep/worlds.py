"""Worlds: for one test alone, with the cast of the matrix in it; and for the many tests that change nothing."""

from contextlib import AsyncExitStack

from server.api.registry import Operation
from tests.server.operations.sweep.people import Cast
from tests.server.operations.sweep.requests import Hosts, World, world_of


class SharedWorld:
    """For tests that change nothing, one after the other: to make a world takes longer than most of them."""

    USES = 25
    """What is prepared for each test fills it: only so many API keys, shares or proposals may be there."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._world: World | None = None
        self._left = 0

    async def get(self, opened: AsyncExitStack) -> World:
        if self._world is None or not self._left:
            self._world, self._left = await world_of(self._hosts, opened), self.USES
        self._left -= 1
        self._world.open = opened
        return self._world


ENDING = frozenset({"add_member", "hand_over"})
"""Operations beside all deletions that end what a second request of the same person would be about."""


class Worlds:
    def __init__(self, hosts: Hosts, cast: Cast) -> None:
        self._hosts = hosts
        self._cast = cast
        self._last: World | None = None
        self._person = ""
        self.opened = AsyncExitStack()

    async def new(self, operation: Operation) -> World:
        self._last = await world_of(self._hosts, self.opened, self._cast.members)
        await self._cast.leave(self._last)
        await self._last.prepare(operation)
        return self._last

    async def of(self, person: str, operation: Operation, *, names_something: bool) -> World:
        """One for each person, unless all that a test does is reading, or is about nothing that the world has. What a
        request uses up is there again for the next one."""
        is_same = person == self._person or not names_something
        self._person = person
        if self._last is None:
            return await self.new(operation)
        if operation.methods == ("GET",):
            return self._last
        if not is_same or "DELETE" in operation.methods or operation.name in ENDING:
            return await self.new(operation)
        await self._last.prepare(operation)
        return self._last
