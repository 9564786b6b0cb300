"""Shared recovery: after a restart or a network failure, crowds ask for the same range of a log, which is read once."""

import asyncio
from collections import OrderedDict

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.publication import Publication
from actors.errors import NotFound
from actors.queries import Reads
from actors.resources.log import ReadThreadLog
from actors.runtime.loop_actor import LoopFuture, drive
from server.api.events import publications

Stretch = list[Publication] | None
"""None where it exceeds the limits of a reply."""
_Key = tuple[str, int, int]


class Recovery:
    """Keeps ranges that were read lately, for as long as a crowd takes to reconnect.

    A range ends at a head of the log, and every change of its messages moves the head; a change of their authors calls
    `forget`. So a kept range is what would be read now.
    """

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._reading: dict[_Key, LoopFuture[Stretch]] = {}
        self._kept: OrderedDict[_Key, Stretch] = OrderedDict()
        self.kept_bytes = 0
        self._generation = 0

    async def missed(self, identity: Identity, thread_id: str, offset: int, head: int) -> Stretch:
        """Publications after `offset`, up to `head`, for an identity that the thread's actor has subscribed at that
        head."""
        key = (thread_id, offset, head)
        while (reading := self._reading.get(key)) is not None:
            try:
                return await reading
            except NotFound:  # the first caller lost access meanwhile, which says nothing about others
                continue
        if key in self._kept:
            return self._kept[key]
        reading = self._reading[key] = LoopFuture()
        generation = self._generation
        drive(self._read(identity, key), lambda read: self._answer(key, read, is_old=self._generation != generation))
        return await reading

    async def _read(self, identity: Identity, key: _Key) -> Stretch:
        thread_id, offset, head = key
        page = await self._reads.ask(
            ReadThreadLog(identity, thread_id, offset, limit=limits.RECOVERY_EVENTS, up_to=head)
        )
        found = publications(page.events)
        return None if page.more or _size(found) > limits.RECOVERY_BYTES else found

    def _answer(self, key: _Key, read: LoopFuture[Stretch], *, is_old: bool) -> None:
        reading = self._reading.pop(key)
        if read.error is not None:
            reading.set_exception(read.error)
            return
        if not is_old:
            self._keep(key, read.result())
        reading.set(read.result())

    def _keep(self, key: _Key, stretch: Stretch) -> None:
        self._kept[key] = stretch
        self.kept_bytes += limits.RECOVERY_ENTRY_BYTES + _size(stretch)
        while self.kept_bytes > limits.RECOVERIES_BYTES:
            self._forget(next(iter(self._kept)))
        asyncio.get_running_loop().call_later(limits.RECOVERIES_SECONDS, self._forget, key)

    def forget(self) -> None:
        """A user was renamed or deleted."""
        self._kept.clear()
        self.kept_bytes = 0
        self._generation += 1

    def _forget(self, key: _Key) -> None:
        if key in self._kept:
            self.kept_bytes -= limits.RECOVERY_ENTRY_BYTES + _size(self._kept.pop(key))


def _size(stretch: Stretch) -> int:
    return sum(len(item.data) for item in stretch or ())
