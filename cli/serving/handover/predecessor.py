"""The new process's side: gets ready beside the old one, and waits for what it serves with."""

import asyncio
import contextlib
import os
import socket
from types import TracebackType
from typing import Any

import click

from actors.blobs import BlobStoreError
from cli.opening.blobs import open_blobs
from cli.opening.keys import source_of
from cli.serving.handover.channel import Channel, ChannelClosed
from cli.serving.handover.relay import Relay
from cli.serving.handover.seat import Seat
from cli.serving.handover.successor import PROTOCOL, VARIABLE, real_folder
from cli.settings import Settings
from storage.database import FILE_NAME, DatabaseOptions, DatabaseProblem
from storage.lock import FolderLock
from storage.schema.expanding import expand


class Predecessor:
    """The old process, as the new one sees it. Failures in here are sent to it, and it keeps serving."""

    def __init__(self, channel: Channel, release: str) -> None:
        self._channel = channel
        self._release = release
        self._seat: Seat | None = None

    @classmethod
    def of_environment(cls, release: str) -> "Predecessor | None":
        """None where this process was not started by a hand-over. Processes that this one starts must not take its
        channel for theirs."""
        descriptor = os.environ.pop(VARIABLE, None)
        if descriptor is None:
            return None
        os.set_inheritable(int(descriptor), False)
        return cls(Channel(socket.socket(fileno=int(descriptor))), release)

    async def __aenter__(self) -> "Predecessor":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            with contextlib.suppress(ChannelClosed):
                await self._channel.send({"failed": _sentence(error)})
        self._channel.close()
        if self._seat is not None:
            self._seat.listener.close()
            self._seat.lock.close()

    async def get_ready(self, chosen: Settings) -> Seat:
        """All that can be done while the old process serves. Raises `ClickException` or `DatabaseProblem`."""
        mine, descriptors = await self._channel.receive()
        listener, lock = descriptors
        self._seat = Seat(socket.socket(fileno=listener), FolderLock(lock), mine.get("previous"))
        _must_fit(mine, chosen)
        options = DatabaseOptions(chosen["data_dir"] / FILE_NAME, synchronous=chosen["synchronous"].upper())
        applied = await asyncio.to_thread(expand, options, str(mine["release"]))
        _look_for_files(chosen)
        with contextlib.suppress(ChannelClosed):  # it was killed meanwhile: this process is the only one left
            await self._channel.send(
                {"ready": PROTOCOL, "pid": os.getpid(), "release": self._release, "applied": applied}
            )
        return self._seat

    async def leaves(self, relay: Relay, chosen: Settings) -> bool:
        """Wait until it has stopped writing, or was killed: then its place is free as well. Answers False where it
        calls the hand-over off."""
        with contextlib.suppress(ChannelClosed):
            while True:
                said, descriptors = await self._channel.receive()
                relay.connections += [socket.socket(fileno=descriptor) for descriptor in descriptors]
                if "abort" in said:
                    return False
                if "yours" in said:
                    break
        assert self._seat is not None
        self._seat.lock.sign(source_of(chosen))
        return True

    async def serves(self) -> None:
        """Tell it that it may end."""
        with contextlib.suppress(ChannelClosed):
            await self._channel.send({"serving": True})


def _must_fit(theirs: dict[str, Any], chosen: Settings) -> None:
    """Raises `ClickException` where this process would serve something else than the old one did."""
    if theirs["handover"] != PROTOCOL:
        raise click.ClickException(
            f"the running release {theirs['release']} hands over in another way; stop it and start this one."
        )
    wanted = {"DATA_DIR": real_folder(chosen), "HOST": chosen["host"], "PORT": chosen["port"]}
    running = {"DATA_DIR": theirs["folder"], "HOST": theirs["host"], "PORT": theirs["port"]}
    for name, value in wanted.items():
        if value != running[name]:
            raise click.ClickException(
                f"{name} is {value} here and {running[name]} in the running server, and a hand-over keeps it; "
                "restart the server to change it."
            )


def _look_for_files(chosen: Settings) -> None:
    """Raises `ClickException` where BLOB_URL cannot be used."""
    try:
        open_blobs(chosen)
    except BlobStoreError as error:
        raise click.ClickException(f"BLOB_URL: {error}") from error


def _sentence(error: BaseException) -> str:
    if isinstance(error, click.ClickException):
        return error.message
    return str(error) if isinstance(error, DatabaseProblem) else f"{type(error).__name__}; its output says more."
