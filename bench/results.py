"""What was measured: figures with their spread, and whether they reach their targets."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field

from bench.harness import Usage


@dataclass
class Figure:
    """Repeated measurements of one thing."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    """Who used the cores meanwhile, where that was measured."""

    def add(self, value: float, usage: Usage | None = None) -> None:
        self.values.append(value)
        if usage is not None:
            self.usages.append(usage)

    @property
    def median(self) -> float:
        return statistics.median(self.values) if self.values else math.nan

    @property
    def spread(self) -> tuple[float, float]:
        return (min(self.values), max(self.values)) if self.values else (math.nan, math.nan)

    @property
    def usage(self) -> Usage | None:
        """The median of each share."""
        if not self.usages:
            return None
        return Usage(*(statistics.median(shares) for shares in zip(*map(astuple, self.usages), strict=True)))

    @property
    def per_cpu_second(self) -> float:
        """Of a rate: what a whole second of the measured process's CPU is good for, whoever else was busy."""
        return statistics.median(
            value / usage.server if usage.server else math.nan
            for value, usage in zip(self.values, self.usages, strict=True)
        )


@dataclass(frozen=True)
class Target:
    """A row of the table: a figure or a ratio, and what it must reach."""

    number: str
    what: str
    value: float
    unit: str
    limit: float
    at_least: bool
    spread: tuple[float, float] | None = None
    """Of the repetitions, where there were some."""

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Outcome:
    """What a case found."""

    figures: list[Figure] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failure: str = ""

    def figure(self, name: str, unit: str, values: Sequence[float] = ()) -> Figure:
        found = Figure(name, unit, list(values))
        self.figures.append(found)
        return found

    def target(self, number: str, what: str, value: float, unit: str, **limit: float) -> None:
        """With either `least` or `most`."""
        self._target(number, what, value, unit, None, limit)

    def target_of(self, number: str, what: str, figure: Figure, **limit: float) -> None:
        """The median of a figure."""
        self._target(number, what, figure.median, figure.unit, figure.spread, limit)

    def target_ratio(self, number: str, what: str, ours: Figure, yardstick: Figure, unit: str, **limit: float) -> None:
        """Median and spread of the pairs, each measured in turn: what slows both for a while tells nothing."""
        pairs = [a / b for a, b in zip(ours.values, yardstick.values, strict=True)]
        self._target(number, what, statistics.median(pairs), unit, (min(pairs), max(pairs)), limit)

    def _target(
        self, number: str, what: str, value: float, unit: str, spread: tuple[float, float] | None,
        limit: dict[str, float],
    ) -> None:  # fmt: skip
        ((kind, bound),) = limit.items()
        self.targets.append(Target(number, what, value, unit, bound, kind == "least", spread))


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
