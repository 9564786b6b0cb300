"""Hand-overs that operators ask the running server for, one at a time."""

import asyncio
import contextlib
import logging
import os
import shlex
import time
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any

from cli.serving.handover.control import Control, Say
from cli.serving.handover.relay import Relay
from cli.serving.handover.seat import Seat, ends_a_container, found_command, serving_command
from cli.serving.handover.successor import HandoverFailed, Successor
from cli.settings import Settings

logger = logging.getLogger("cli.handover")


class Handovers:
    """Inside, operators may ask; on the way out a hand-over that is not complete is called off."""

    def __init__(self, chosen: Settings, seat: Seat, release: str) -> None:
        self._chosen = chosen
        self._seat = seat
        self._release = release
        self._control = Control(self.answer)
        self._began: float | None = None
        """When the one under way was asked for."""
        self._ready: asyncio.Queue[Successor] = asyncio.Queue()
        self._taken: Successor | None = None
        """The one that this server makes room for."""
        self._outcome: asyncio.Future[str] | None = None

    async def __aenter__(self) -> "Handovers":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while not self._ready.empty():
            self._taken = self._ready.get_nowait()
        if self._taken is not None:  # left alone it would take this server for killed, and serve
            await self._taken.end()
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_exception(HandoverFailed("The server was stopped."))
        await self._control.close()

    @contextlib.asynccontextmanager
    async def offered(self) -> AsyncIterator[None]:
        """Inside, this server is the one to be asked. The caller holds the lock of the data folder."""
        async with self._control.listening(self._chosen["data_dir"]):
            yield

    # What an operator asks for

    async def answer(self, asked: dict[str, Any], say: Say) -> None:
        if self._began is not None:
            since = time.monotonic() - self._began
            say("failed", f"Another hand-over has been under way for {since:.0f} s; wait for its end.")
            return
        self._began = time.monotonic()
        try:
            say("done", await self._hand_over(self._command(asked), say))
        except HandoverFailed as failure:
            logger.warning("the hand-over failed, and this server goes on: %s", failure)
            say("failed", f"{failure} The running server (pid {os.getpid()}) goes on.")
        finally:
            self._began = None

    def _command(self, asked: dict[str, Any]) -> Sequence[str]:
        if ends_a_container():
            raise HandoverFailed(
                "This server is the first process of its container, which ends with it: replace the container instead."
            )
        if asked.get("rollback"):
            if self._seat.previous is None:
                raise HandoverFailed("There is no server to go back to: this one was started without a hand-over.")
            return self._seat.previous
        try:
            command = asked.get("command")
            return found_command(command) if command else serving_command(asked["python"])
        except ValueError as error:
            raise HandoverFailed(f"{error}.") from error

    async def _hand_over(self, command: Sequence[str], say: Say) -> str:
        successor = Successor.start(command)
        say("said", f"Started {shlex.join(command)} (pid {successor.pid}): it gets ready, this server goes on.")
        try:
            applied = await successor.get_ready(self._chosen, self._seat, self._release)
        except BaseException:
            await successor.end()
            raise
        if applied:
            say("said", f"Migrations applied, on which both run: {', '.join(applied)}.")
        say("said", f"Release {successor.release} is ready: requests wait, clients are asked to reconnect.")
        self._outcome = asyncio.get_running_loop().create_future()
        self._ready.put_nowait(successor)
        return await asyncio.shield(self._outcome)  # also where the operator has gone: it cannot be called off now

    # What the server does

    async def wanted(self) -> Successor:
        """Wait until a new server is ready."""
        self._taken = await self._ready.get()
        return self._taken

    async def complete(self, successor: Successor, relay: Relay) -> bool:
        """This server has ended; let the new one serve. Answers False where it does not, and this one has to go on."""
        self._taken = None
        assert self._outcome is not None
        assert relay.left_at is not None
        try:
            await successor.take_over(self._seat, relay)
        except HandoverFailed as failure:
            await successor.end()
            self._outcome.set_exception(failure)
            return False
        pause = time.monotonic() - relay.left_at
        relay.drop()
        successor.leave()
        logger.info("handed over to pid %d, release %s, in %.2f s", successor.pid, successor.release, pause)
        self._outcome.set_result(
            f"Pid {successor.pid} serves, release {successor.release}; requests waited for {pause:.2f} s at most. "
            "To go back: xp deploy --rollback"
        )
        return True
