"""Messages and open files between the two processes of a hand-over, over a pair of sockets."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from actors import limits


class ChannelClosed(Exception):
    """The other process has ended."""


class Channel:
    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection

    async def send(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Raises `ChannelClosed`. The other process gets copies of the descriptors."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                socket.send_fds(self._socket, [orjson.dumps(message)], descriptors)
                return
            except BlockingIOError:
                await self._until(loop.add_writer, loop.remove_writer)
            except OSError as error:
                raise ChannelClosed(str(error)) from error

    async def receive(self) -> tuple[dict[str, Any], list[int]]:
        """A message, and the descriptors that came with it. Raises `ChannelClosed`."""
        data, descriptors = await self._received()
        if not data:
            raise ChannelClosed("it has ended")
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        return orjson.loads(data), descriptors

    async def _received(self) -> tuple[bytes, list[int]]:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(
                    self._socket, limits.HANDOVER_MESSAGE_BYTES, limits.HANDOVER_DESCRIPTORS
                )
            except BlockingIOError:
                await self._until(loop.add_reader, loop.remove_reader)
            except OSError as error:
                raise ChannelClosed(str(error)) from error
            else:
                return data, list(descriptors)

    async def closed(self) -> None:
        """Wait until the other process has ended; what it still says is dropped."""
        try:
            while True:
                _, descriptors = await self.receive()
                for descriptor in descriptors:
                    os.close(descriptor)
        except ChannelClosed:
            return

    async def _until(self, add: Callable[..., Any], remove: Callable[[Any], Any]) -> None:
        ready = asyncio.Event()
        add(self._socket, ready.set)
        try:
            await ready.wait()
        finally:
            remove(self._socket)

    def close(self) -> None:
        self._socket.close()
