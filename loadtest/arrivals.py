"""When arrivals are due: the scenario alone decides, a slow server does not delay them (an open loop)."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from loadtest.scenario import Phase, Scenario


@dataclass(frozen=True, slots=True)
class Arrival:
    at: float
    """Seconds after the start."""
    storm: float = 0.0
    """Not an action, but a phase that begins with this share of connections lost."""


def arrivals(scenario: Scenario, chance: random.Random) -> Iterator[Arrival]:
    """In order of time."""
    begins = 0.0
    for phase in scenario.phases:
        if phase.storm:
            yield Arrival(begins, phase.storm)
        for after in _times(phase, chance if scenario.arrivals == "poisson" else None):
            yield Arrival(begins + after)
        begins += phase.seconds


def _times(phase: Phase, chance: random.Random | None) -> Iterator[float]:
    """By the inverse of the arrivals that a ramp has had: the n-th is due when that many are."""
    first, last = phase.rate
    slope = (last - first) / phase.seconds
    wanted = phase.seconds * (first + last) / 2
    due = _step(chance)
    while due <= wanted + 1e-9:
        yield min(_when(due, first, slope), phase.seconds)
        due += _step(chance)


def _step(chance: random.Random | None) -> float:
    return 1.0 if chance is None else chance.expovariate(1.0)


def _when(due: float, first: float, slope: float) -> float:
    """Seconds after which a rate that begins with `first` and grows by `slope` a second has had `due` arrivals."""
    if abs(slope) < 1e-12:
        return due / first
    return (math.sqrt(max(0.0, first * first + 2 * slope * due)) - first) / slope
