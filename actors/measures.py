"""What the core counts of its own work: plain numbers, written where the work is done, read when metrics are collected.

Each number has one writer (the event loop, or the journal's OS thread), so none needs a lock; a reader on another
thread sees a value that is at most a moment old.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of durations: 0.1 and 0.2 are the service levels."""
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Upper bounds of counts."""


class Histogram:
    """How many observations are at most each bound, and above all of them; and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Not cumulative; the last is above every bound."""
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        return sum(self.counts)


@dataclass(slots=True)
class Measures:
    """Of one stage: its actors, and the journal that they write to. Counted since the start."""

    batch_sizes: Histogram = field(default_factory=lambda: Histogram(SIZES))
    """Commands in one transaction of the journal."""
    commit_seconds: Histogram = field(default_factory=Histogram)
    """Of one transaction, fsync included. Written by the journal's OS thread, as is `batch_sizes`."""
    writes_refused: int = 0
    """Because too many were in flight."""
    events: int = 0
    """Committed to the log, also by other processes."""
    round_seconds: Histogram = field(default_factory=Histogram)
    """Of one round of turns."""
    turn_seconds: dict[str, Histogram] = field(default_factory=dict)
    """Class of actor → a turn, of one round in `actors.limits.MEASURED_ROUNDS`."""
    deliveries: int = 0
    """Batches of publications written to one connection."""
    bytes_sent: int = 0
    """To WebSockets and streams."""
    ephemeral_dropped: int = 0
    """For a slow reader, who gets the current state later."""
    closes: Counter[int] = field(default_factory=Counter)
    """Close code → connections that the server closed."""
    streams_begun: int = 0
    streams_ended: Counter[str] = field(default_factory=Counter)
    """Reason → messages that were being streamed."""
    first_piece_seconds: Histogram = field(default_factory=Histogram)
    """From the moment that a streamed message is live to its first text."""

    def turn(self, kind: str, seconds: float) -> None:
        histogram = self.turn_seconds.get(kind)
        if histogram is None:
            histogram = self.turn_seconds[kind] = Histogram()
        histogram.observe(seconds)
