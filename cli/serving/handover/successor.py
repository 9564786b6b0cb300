"""The old process's side: starts the new one, lets it get ready, and gives it all that it serves with."""

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Sequence
from typing import Any, Final

from actors import limits
from cli.serving.handover.channel import Channel, ChannelClosed
from cli.serving.handover.relay import Relay
from cli.serving.handover.seat import Seat, own_python, serving_command
from cli.settings import Settings

VARIABLE: Final = "XP_HANDOVER"
"""Tells a new process which of its descriptors leads to the old one."""
PROTOCOL: Final = 1
"""Of the messages between the two, which are of different releases."""


def real_folder(chosen: Settings) -> str:
    """The path of the data folder without links: two names of one folder are equal."""
    return str(os.path.realpath(chosen["data_dir"]))


class HandoverFailed(Exception):
    """The old process goes on; the sentence says why."""


class Successor:
    def __init__(self, process: "subprocess.Popen[bytes]", channel: Channel, command: Sequence[str]) -> None:
        self._process = process
        self._channel = channel
        self._command = command
        self.pid = process.pid
        self.release = ""

    @classmethod
    def start(cls, command: Sequence[str]) -> "Successor":
        """With the environment, folder, and output of this process. Raises `HandoverFailed`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: S603 - what an operator asks for
                    command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
                    env={**os.environ, VARIABLE: str(theirs.fileno())},
                )  # fmt: skip
            except OSError as error:
                ours.close()
                raise HandoverFailed(f"{shlex.join(command)} cannot be started: {error.strerror}.") from error
        return cls(process, Channel(ours), command)

    async def get_ready(self, chosen: Settings, seat: Seat, release: str) -> list[str]:
        """Wait until it only lacks the right to write; answers the migrations that it has applied. Raises
        `HandoverFailed`."""
        mine = {
            "handover": PROTOCOL, "release": release, "folder": real_folder(chosen),
            "host": chosen["host"], "port": chosen["port"], "previous": serving_command(own_python()),
        }  # fmt: skip
        said = await self._ask(
            mine, "ready", limits.HANDOVER_READY_SECONDS, [seat.listener.fileno(), seat.lock.descriptor]
        )
        self.pid, self.release = int(said["pid"]), str(said["release"])
        return list(said["applied"])

    async def take_over(self, seat: Seat, relay: Relay) -> None:
        """Give it the connections and the right to write; returns once it serves. Raises `HandoverFailed`."""
        count = limits.HANDOVER_DESCRIPTORS
        try:
            for start in range(0, len(relay.connections), count):
                batch = [connection.fileno() for connection in relay.connections[start : start + count]]
                await self._channel.send({"connections": len(batch)}, batch)
        except ChannelClosed:
            raise HandoverFailed(await self._ended()) from None
        seat.lock.hand_over()
        await self._ask({"yours": True}, "serving", limits.HANDOVER_SERVE_SECONDS)

    async def _ask(
        self, message: dict[str, Any], wanted: str, seconds: float, descriptors: Sequence[int] = ()
    ) -> dict[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                await self._channel.send(message, descriptors)
                said, _ = await self._channel.receive()
        except TimeoutError:
            raise HandoverFailed(f"The new server was not {wanted} within {seconds:g} s.") from None
        except ChannelClosed:
            raise HandoverFailed(await self._ended()) from None
        if wanted not in said:
            raise HandoverFailed(f"The new server refuses: {said.get('failed', 'it speaks another protocol')}")
        return said

    async def _ended(self) -> str:
        code = None
        with contextlib.suppress(subprocess.TimeoutExpired):  # its end of the channel is closed: it is about to be gone
            code = await asyncio.to_thread(self._process.wait, limits.HANDOVER_FAREWELL_SECONDS)
        how = "" if code is None else f", by {signal.Signals(-code).name}" if code < 0 else f" with code {code}"
        return f"The new server has ended{how}; its output says why."

    async def end(self) -> None:
        """Kill it, and wait until it cannot write any more."""
        with contextlib.suppress(ChannelClosed):
            await self._channel.send({"abort": True})
        for pid in {self.pid, self._process.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self._channel.closed()
        self._channel.close()
        self._process.wait()

    def leave(self) -> None:
        """It goes on without this process."""
        self._channel.close()
        self._process.returncode = 0  # else Python warns of a process that it has not seen the end of
