"""What was measured: figures with their spread, and whether they reach their targets."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Figure:
    """Repeated measurements of one thing."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values) if self.values else float("nan")

    @property
    def spread(self) -> tuple[float, float]:
        return (min(self.values), max(self.values)) if self.values else (float("nan"), float("nan"))


@dataclass(frozen=True)
class Target:
    """A row of the table: a figure or a ratio, and what it must reach."""

    number: str
    what: str
    value: float
    unit: str
    limit: float
    at_least: bool

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Outcome:
    """What a case found."""

    figures: list[Figure] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def figure(self, name: str, unit: str, values: Sequence[float] = ()) -> Figure:
        found = Figure(name, unit, list(values))
        self.figures.append(found)
        return found

    def target(
        self, number: str, what: str, value: float, unit: str, *, least: float | None = None, most: float = 0.0
    ) -> None:
        limit = most if least is None else least
        self.targets.append(Target(number, what, value, unit, limit, least is not None))


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def ratio(ours: Figure, yardstick: Figure) -> float:
    """Of the medians: what was measured in turn in the same run."""
    return ours.median / yardstick.median
