"""What the server had counted at a moment. The difference of two samples is what happened in between."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from actors.measures import SECONDS, Histogram
from actors.resources.outbox import SentBy

Buckets = tuple[int, ...]
"""Observations by the bounds of `actors.measures.SECONDS`; the last are above all of them."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Counted since the start, where it is not said otherwise."""

    at: float
    """Seconds since 1970."""
    operations: Buckets
    errors: int
    """Operations that failed for reasons of the server."""
    commits: Buckets
    lags: Buckets
    events: int
    sent_bytes: int
    connections: int
    """Now."""
    memory: int
    """Now, in bytes."""
    cpu: float
    """Seconds."""
    is_healthy: bool
    """Now."""
    given_up: Mapping[SentBy, int] = field(default_factory=dict)
    """Mails, pushes and deliveries that are not tried again."""


def total(histograms: Iterable[Histogram]) -> Buckets:
    sums = [0] * (len(SECONDS) + 1)
    for histogram in histograms:
        for index, count in enumerate(histogram.counts):
            sums[index] += count
    return tuple(sums)


def between(before: Buckets, after: Buckets) -> Buckets:
    return tuple(late - early for early, late in zip(before, after, strict=True))


def quantile(buckets: Buckets, share: float) -> float | None:
    """Seconds that this share of the observations took at most, as far as the buckets tell; None without any."""
    wanted = share * sum(buckets)
    if wanted == 0:
        return None
    below, lower = 0, 0.0
    for count, upper in zip(buckets, SECONDS, strict=False):
        if below + count >= wanted:
            return lower + (upper - lower) * (wanted - below) / count
        below, lower = below + count, upper
    return SECONDS[-1]


def share_above(buckets: Buckets, bound: float) -> float:
    """Share of the observations above one of the bounds; 0 without any."""
    count = sum(buckets)
    return sum(buckets[SECONDS.index(bound) + 1 :]) / count if count else 0.0
