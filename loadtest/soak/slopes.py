"""Whether what a server takes grows: the verdict on samples of a soak.

The first third is left out: caches fill, and the allocator gets its arenas. Of the rest the trend is the median of the
slopes between all pairs of samples (Theil–Sen), which a quarter of outliers does not move. The growth is the trend over
the time that is judged; it is held against a share of the series' median, and against a slack below which it is noise.
Less than five minutes after the warm-up are not judged.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from actors import limits


@dataclass(frozen=True, slots=True)
class Rule:
    share: float
    """Of the median that the trend may add."""
    slack: float
    """That it may add in any case."""


MEMORY = Rule(limits.SOAK_MEMORY_GROWTH, limits.SOAK_MEMORY_SLACK_BYTES)
WAL = Rule(limits.SOAK_MEMORY_GROWTH, limits.SOAK_WAL_SLACK_BYTES)
COUNT = Rule(limits.SOAK_MEMORY_GROWTH, limits.SOAK_COUNT_SLACK)
RULES: Mapping[str, Rule] = {"memory": MEMORY, "files": COUNT, "actors": COUNT, "inboxes": COUNT, "WAL": WAL}
"""What has to stay flat. The database grows with what is written; connections are those of the scenario."""


@dataclass(frozen=True, slots=True)
class Verdict:
    name: str
    is_flat: bool | None
    """None where the samples are too few, or the time is too short, to say."""
    median: float
    per_hour: float
    """The trend."""
    growth: float
    """Over the time that was judged."""
    allowed: float
    samples: int


def judge(times: Sequence[float], values: Mapping[str, Sequence[float | None]]) -> list[Verdict]:
    """A verdict for each series with a rule. `times` are seconds."""
    return [_judged(name, rule, times, values[name]) for name, rule in RULES.items() if name in values]


def _judged(name: str, rule: Rule, times: Sequence[float], values: Sequence[float | None]) -> Verdict:
    warm = round(len(times) * limits.SOAK_WARM_UP)
    points = [(at, value) for at, value in zip(times[warm:], values[warm:], strict=True) if value is not None]
    span = points[-1][0] - points[0][0] if points else 0.0
    if len(points) < limits.SOAK_SAMPLES_LEAST or span < limits.SOAK_JUDGED_SECONDS_LEAST:
        return Verdict(name, None, 0.0, 0.0, 0.0, 0.0, len(points))
    median = statistics.median(value for _, value in points)
    slope = _trend(points)
    growth = slope * span
    allowed = max(rule.share * median, rule.slack)
    return Verdict(name, growth <= allowed, median, slope * 3600, growth, allowed, len(points))


def _trend(points: Sequence[tuple[float, float]]) -> float:
    """Units a second."""
    chosen = points[:: max(1, -(-len(points) // limits.SOAK_POINTS))]
    slopes = [(b - a) / (later - at) for (at, a), (later, b) in combinations(chosen, 2) if later > at]
    return statistics.median(slopes) if slopes else 0.0
