"""The epoch of a log as clients know it: bound to what it is the log of.

The database has one epoch for each incarnation of its log; a restore makes a new one. What a client is told of one
thread is only good for that thread, and the cursor of a stream over many threads only for just these: so the epoch that
goes out has a mark of them. A cursor that is used for anything else is one of another log, and answered like that.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

_MARK_BYTES: Final = 5


def epoch_of(log: str, channel: str) -> str:
    """Of one channel, with offsets."""
    return log + _mark(channel)


def epoch_over(log: str, channels: Iterable[str]) -> str:
    """Of a stream over many channels, with positions; in whatever order they are named."""
    return log + _mark(f"many:{','.join(sorted(channels))}")


def is_of_another_channel(epoch: str, log: str) -> bool:
    """Whether an epoch that is not the one expected is at least one of this log; some have no mark, from before."""
    return epoch.startswith(log)


def _mark(text: str) -> str:
    return blake2b(text.encode(), digest_size=_MARK_BYTES).hexdigest()
