"""The epoch that clients get: the epoch of the log, bound to a channel or to a set of channels.

The database has one epoch for each incarnation of its log; a restore makes a new one. A cursor of one thread is valid
only for that thread, and the cursor of a stream over many threads only for exactly these: so the epoch that clients get
ends with a mark of them. A cursor used for another channel is treated as one of another log.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

_MARK_BYTES: Final = 5


def epoch_of(log: str, channel: str) -> str:
    """Of one channel, with offsets."""
    return log + _mark(channel)


def epoch_over(log: str, channels: Iterable[str]) -> str:
    """Of a stream over many channels, with positions; independent of their order."""
    return log + _mark(f"many:{','.join(sorted(channels))}")


def is_of_another_channel(epoch: str, log: str) -> bool:
    """Whether an unexpected epoch is of this log but another channel; old epochs have no mark."""
    return epoch.startswith(log)


def _mark(text: str) -> str:
    return blake2b(text.encode(), digest_size=_MARK_BYTES).hexdigest()
