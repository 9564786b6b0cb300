"""Durations with a bounded error in bounded memory, as an HDR histogram has them."""

from collections.abc import Iterator

EXACT = 256
"""Microseconds that have a bucket of their own; beyond, each power of two has half as many buckets."""
HALF = EXACT // 2
LONGEST = 2**32 - 1
"""Microseconds, a little more than an hour: longer durations count as this."""


class Histogram:
    """Counts durations in buckets that are at most 1/128 (0.8 %) wide, in some 3,200 of them at most."""

    __slots__ = ("_counts", "count", "longest", "total")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.longest = 0.0
        self.total = 0.0

    def add(self, seconds: float) -> None:
        index = _index(seconds)
        self._counts[index] = self._counts.get(index, 0) + 1
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)

    def merge(self, other: "Histogram") -> None:
        for index, count in other._counts.items():
            self._counts[index] = self._counts.get(index, 0) + count
        self.count += other.count
        self.total += other.total
        self.longest = max(self.longest, other.longest)

    @property
    def mean(self) -> float | None:
        return self.total / self.count if self.count else None

    def percentile(self, share: float) -> float | None:
        """Seconds within which this share (0 to 1) was done: never too short, at most 0.8 % too long."""
        for reached, seconds in self.curve():
            if reached >= share:
                return seconds
        return None

    def curve(self) -> Iterator[tuple[float, float]]:
        """(share, seconds within which it was done), ascending, for each bucket that is not empty."""
        reached = 0
        for index in sorted(self._counts):
            reached += self._counts[index]
            yield reached / self.count, min(_upper(index), self.longest)


def _index(seconds: float) -> int:
    value = min(max(0, round(seconds * 1e6)), LONGEST)
    if value < EXACT:
        return value
    shift = value.bit_length() - 8
    return EXACT + (shift - 1) * HALF + (value >> shift) - HALF


def _upper(index: int) -> float:
    """The longest duration of a bucket, in seconds."""
    if index < EXACT:
        return (index + 0.5) / 1e6
    shift, place = divmod(index - EXACT, HALF)
    return (((place + HALF + 1) << (shift + 1)) - 0.5) / 1e6
