"""What live channels remember, all of them together: bounded in time and in bytes, in all and for each user. Pure.

The oldest publication goes first, and with it what is older in its channel: a client that comes back is answered
without a hole, or not at all.
"""

from collections import OrderedDict, deque

from actors import limits
from actors.delivery.publication import LivePublication


class Kept:
    """One publication that is remembered."""

    __slots__ = ("at", "history", "item", "serial", "size")

    def __init__(self, serial: int, at: float, history: "History", item: LivePublication) -> None:
        self.serial = serial
        self.at = at
        self.history = history
        self.item = item
        self.size = item.size + limits.LIVE_ENTRY_BYTES


History = deque[Kept]
"""Of one channel, without holes."""


class _Share:
    """Of one user: what they have published."""

    __slots__ = ("kept", "size")

    def __init__(self) -> None:
        self.kept: OrderedDict[int, Kept] = OrderedDict()
        self.size = 0


class LiveMemory:
    def __init__(self) -> None:
        self._all: OrderedDict[int, Kept] = OrderedDict()
        """By serial number: the oldest first."""
        self._shares: dict[int, _Share] = {}
        self._serial = 0
        self.size = 0
        """In bytes."""

    def keep(self, history: History, item: LivePublication, now: float) -> None:
        """Keep one more publication of a channel, and drop the oldest ones that exceed the limits."""
        self._serial += 1
        kept = Kept(self._serial, now, history, item)
        history.append(kept)
        self._all[kept.serial] = kept
        share = self._shares.setdefault(item.identity.user.key, _Share())
        share.kept[kept.serial] = kept
        share.size += kept.size
        self.size += kept.size
        self._trim(history, share)

    def _trim(self, history: History, share: _Share) -> None:
        while len(history) > limits.LIVE_HISTORY:
            self._remove(history.popleft())
        while share.size > limits.LIVE_USER_BYTES:
            self._forget_up_to(next(iter(share.kept.values())))
        while self.size > limits.LIVE_BYTES:
            self._forget_up_to(next(iter(self._all.values())))

    def forget_older(self, than: float, most: int) -> bool:
        """Drop older publications, at most about `most`; answers whether none is left."""
        for _ in range(most):
            kept = next(iter(self._all.values()), None)
            if kept is None or kept.at >= than:
                return True
            self._forget_up_to(kept)
        return False

    def forget_all(self, history: History) -> None:
        while history:
            self._remove(history.popleft())

    def _forget_up_to(self, kept: Kept) -> None:
        while kept.serial in self._all:
            self._remove(kept.history.popleft())

    def _remove(self, kept: Kept) -> None:
        user_key = kept.item.identity.user.key
        share = self._shares[user_key]
        del self._all[kept.serial], share.kept[kept.serial]
        share.size -= kept.size
        self.size -= kept.size
        if not share.kept:
            del self._shares[user_key]

    def __len__(self) -> int:
        return len(self._all)
