"""Work that is done again and again, with a rest in between, until it is stopped."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from actors.errors import XpError


class Periodic:
    """Confined to the event loop. What goes wrong is logged, and the work is done again after the rest."""

    def __init__(
        self, work: Callable[[], Awaitable[object]], *, every_seconds: float, logger: logging.Logger, name: str,
        first_seconds: float = 0.0, passing: tuple[type[Exception], ...] = (XpError,),
    ) -> None:  # fmt: skip
        """`every_seconds`: the rest after each time; `first_seconds`: before the first. The log calls the work by its
        `name`. `passing`: errors that end by themselves, logged in one line."""
        self._work = work
        self._every_seconds = every_seconds
        self._first_seconds = first_seconds
        self._logger = logger
        self._name = name
        self._passing = passing
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def wake(self) -> None:
        """End the rest: there is work now."""
        self._woken.set()

    def cancel(self) -> None:
        """Stop without waiting for work in progress to end."""
        if self._task is not None:
            self._task.cancel()

    async def stop(self) -> None:
        """Cancel work in progress, and wait until it has ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        await self._rest(self._first_seconds)
        while True:
            try:
                await self._work()
            except self._passing as error:
                self._logger.warning("%s: put off: %s", self._name, error)
            except Exception:
                self._logger.exception("%s failed", self._name)
            await self._rest(self._every_seconds)

    async def _rest(self, seconds: float) -> None:
        try:
            # `wait_for` of Python 3.11 loses a cancellation that comes together with the event.
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()
