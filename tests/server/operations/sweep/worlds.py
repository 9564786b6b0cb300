"""Worlds for one test alone: with what its operation is about, and with the cast of the matrix in it."""

from contextlib import AsyncExitStack

from server.api.registry import Operation
from tests.server.operations.sweep.people import Cast
from tests.server.operations.sweep.requests import Hosts, World, world_of


class Worlds:
    def __init__(self, hosts: Hosts, cast: Cast) -> None:
        self._hosts = hosts
        self._cast = cast
        self._last: World | None = None
        self.opened = AsyncExitStack()

    async def new(self, operation: Operation) -> World:
        """The same again where all that a test does is reading."""
        if self._last is None or operation.methods != ("GET",):
            self._last = await world_of(self._hosts, self.opened, self._cast.members)
            await self._cast.leave(self._last)
            await self._last.prepare(operation)
        return self._last
