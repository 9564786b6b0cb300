"""Series for charts, and service levels, from the samples of the last hour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from server.telemetry.status.samples import Sample, between, quantile, share_above

Value = float | None
"""None: nothing happened that it could be measured by."""


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    title: str
    unit: str
    """Of `cli` and page: `s` seconds, `/s` a second, `B` bytes, `%` a percentage, or nothing."""
    values: tuple[Value, ...]
    is_public: bool = False


Read = Callable[[Sample, Sample], Value]


def _rate(read: Callable[[Sample], float]) -> Read:
    return lambda before, after: _a_second(read(after) - read(before), before, after)


def _operations(before: Sample, after: Sample) -> Value:
    return _a_second(sum(between(before.operations, after.operations)), before, after)


def _a_second(count: float, before: Sample, after: Sample) -> Value:
    """None where the clock was set back in between."""
    return count / (after.at - before.at) if after.at > before.at else None


def _slow(share: float) -> Read:
    return lambda before, after: quantile(between(before.operations, after.operations), share)


def _errors(before: Sample, after: Sample) -> Value:
    count = sum(between(before.operations, after.operations))
    return 100 * (after.errors - before.errors) / count if count else None


_SERIES: Final[tuple[tuple[str, str, str, bool, Read], ...]] = (
    ("operations", "Operations", "/s", False, _operations),
    ("p50", "Half of them took at most", "s", True, _slow(0.5)),
    ("p95", "95 % of them took at most", "s", True, _slow(0.95)),
    ("errors", "Failed for reasons of the server", "%", True, _errors),
    ("commit_p95", "95 % of the commits took at most", "s", False,
     lambda before, after: quantile(between(before.commits, after.commits), 0.95)),
    ("lag_p95", "Event loop late by at most, 95 %", "s", False,
     lambda before, after: quantile(between(before.lags, after.lags), 0.95)),
    ("connections", "Connections", "", False, lambda _, after: float(after.connections)),
    ("events", "Events", "/s", False, _rate(lambda sample: sample.events)),
    ("sent", "Sent to live connections", "B/s", False, _rate(lambda sample: sample.sent_bytes)),
    ("cpu", "Processor", "%", False, _rate(lambda sample: 100 * sample.cpu)),
    ("memory", "Resident memory", "B", False, lambda _, after: float(after.memory)),
)  # fmt: skip


class Reading(NamedTuple):
    """A figure, as it was between two samples."""

    title: str
    unit: str
    read: Read


READINGS: Final = {name: Reading(title, unit, read) for name, title, unit, _, read in _SERIES}


def series(samples: Sequence[Sample]) -> list[Series]:
    """A value for each time between two samples."""
    steps = list(pairwise(samples))
    return [
        Series(name, title, unit, tuple(read(before, after) for before, after in steps), is_public)
        for name, title, unit, is_public, read in _SERIES
    ]


@dataclass(frozen=True, slots=True)
class Level:
    """A service level: of all operations in the samples, the share that may miss the objective, and did."""

    name: str
    objective: str
    value: Value
    """Seconds, or a percentage of operations or of time."""
    unit: str
    allowed: float
    """Share that may miss it."""
    missed: float
    """Share that did."""

    @property
    def is_met(self) -> bool:
        return self.missed <= self.allowed

    @property
    def budget_left(self) -> float:
        """1: nothing of it is used; below 0: more than all of it."""
        return 1 - self.missed / self.allowed


def levels(samples: Sequence[Sample]) -> list[Level]:
    """None where there are not two samples yet."""
    if len(samples) < 2:
        return []
    first, last = samples[0], samples[-1]
    operations = between(first.operations, last.operations)
    count = sum(operations)
    failed = (last.errors - first.errors) / count if count else 0.0
    down = sum(not each.is_healthy for each in samples) / len(samples)
    return [
        Level("p50", "half of the operations within 100 ms", quantile(operations, 0.5), "s", 0.5,
              share_above(operations, 0.1)),
        Level("p95", "95 % of the operations within 200 ms", quantile(operations, 0.95), "s", 0.05,
              share_above(operations, 0.2)),
        Level("errors", "less than 0.1 % fail for reasons of the server", 100 * failed if count else None, "%", 0.001,
              failed),
        Level("availability", "works 99.9 % of the time", 100 * (1 - down), "%", 0.001, down),
    ]  # fmt: skip
