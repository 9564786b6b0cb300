"""One writer for each upload: the newest. A client that comes back after its line broke does not wait until the server
has noticed that the line is gone: what the request before has received is kept, and it ends. (tusd does the same.)

The newest is the one that arrived last, not the one that asked for the lock last: rights are asked in between, and a
request whose line is gone may be slower at that than the one that was sent in its place.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

from actors import limits
from actors.errors import UploadBusy, XpError

_NEWER: Final = "A newer request goes on with this upload."


@dataclass(eq=False, slots=True)
class Writer:
    """A request that has an upload for itself; `cut` ends it, once it reads its body."""

    arrival: int
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    cut: Callable[[XpError], None] | None = None
    is_asked_to_go: bool = False

    def may_be_cut_by(self, cut: Callable[[XpError], None]) -> None:
        self.cut = cut
        if self.is_asked_to_go:
            self._go()

    def make_way(self) -> None:
        self.is_asked_to_go = True
        self._go()

    def _go(self) -> None:
        if self.cut is not None:
            self.cut(UploadBusy(_NEWER))


class UploadLocks:
    """Confined to the event loop."""

    def __init__(self) -> None:
        self._writers: dict[str, Writer] = {}
        self._arrivals = itertools.count()

    def arrive(self) -> int:
        """The place of a request among all of them, to be taken before it waits for anything."""
        return next(self._arrivals)

    @contextlib.asynccontextmanager
    async def hold(self, upload_id: str, arrival: int | None = None) -> AsyncIterator[Writer]:
        """Without an `arrival` it is this moment.

        Raises `UploadBusy` where the request before does not end in UPLOAD_TAKEOVER_SECONDS, or a newer one writes.
        """
        arrival = self.arrive() if arrival is None else arrival
        await self._until_free(upload_id, arrival)
        writer = self._writers[upload_id] = Writer(arrival)
        try:
            yield writer
        finally:
            del self._writers[upload_id]
            writer.gone.set()

    async def _until_free(self, upload_id: str, arrival: int) -> None:
        try:
            async with asyncio.timeout(limits.UPLOAD_TAKEOVER_SECONDS):
                while (other := self._writers.get(upload_id)) is not None:
                    if other.arrival > arrival:
                        raise UploadBusy(_NEWER)
                    other.make_way()
                    await other.gone.wait()
        except TimeoutError:
            raise UploadBusy("Another request writes to this upload, and does not end; retry in a moment.") from None

    def __len__(self) -> int:
        return len(self._writers)
