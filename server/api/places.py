"""A cache of message → thread, which never changes: each piece of a streamed answer needs it."""

from collections import OrderedDict

from actors import limits
from actors.queries import Reads
from actors.resources.messages import GetThreadOf


class Places:
    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._threads: OrderedDict[str, str] = OrderedDict()

    async def thread_of(self, message_id: str) -> str:
        """Raises `NotFound`. Who may see the message is for its thread's actor to say."""
        known = self._threads.get(message_id)
        if known is None:
            known = await self._reads.ask(GetThreadOf(message_id))
            self.keep(message_id, known)
        return known

    def keep(self, message_id: str, thread_id: str) -> None:
        """Where a message stands that was written just now, and that much will be asked of."""
        self._threads[message_id] = thread_id
        if len(self._threads) > limits.MESSAGES_PLACED:
            self._threads.popitem(last=False)
