"""Arrivals are due by the scenario alone."""

import itertools
import random

import pytest

from loadtest.arrivals import arrivals
from loadtest.scenario import Scenario


def scenario(*phases: dict[str, object], **more: object) -> Scenario:
    return Scenario.model_validate({"title": "t", "phases": list(phases), "mix": {"post": 1}, **more})


def times(made: Scenario) -> list[float]:
    return [arrival.at for arrival in arrivals(made, random.Random(3))]


def test_a_level_is_even() -> None:
    assert times(scenario({"seconds": 2, "rate": 2})) == pytest.approx([0.5, 1.0, 1.5, 2.0])


def test_a_ramp_has_as_many_as_its_area_and_grows_denser() -> None:
    found = times(scenario({"seconds": 10, "rate": [0, 20]}))
    assert len(found) == 100
    assert found == sorted(found)
    assert sum(at < 5 for at in found) == pytest.approx(25, abs=1)
    assert found[-1] == pytest.approx(10)


def test_a_ramp_down_to_nothing_ends() -> None:
    found = times(scenario({"seconds": 10, "rate": [20, 0]}))
    assert len(found) == 100
    assert sum(at < 5 for at in found) == pytest.approx(75, abs=1)


def test_a_phase_without_arrivals_is_a_pause() -> None:
    found = times(scenario({"seconds": 5, "rate": 0}, {"seconds": 1, "rate": 2}))
    assert found == pytest.approx([5.5, 6.0])


def test_a_storm_stands_at_the_beginning_of_its_phase() -> None:
    made = scenario({"seconds": 1, "rate": 1}, {"seconds": 1, "rate": 0, "storm": 0.5})
    assert [(arrival.at, arrival.storm) for arrival in arrivals(made, random.Random(3))] == [(1.0, 0.0), (1.0, 0.5)]


def test_poisson_arrivals_are_as_many_in_the_mean_and_the_same_for_a_seed() -> None:
    made = scenario({"seconds": 100, "rate": 50}, arrivals="poisson")
    found = times(made)
    assert len(found) == pytest.approx(5000, rel=0.05)
    assert found == times(made)
    gaps = [later - at for at, later in itertools.pairwise(found)]
    assert sum(gap > 0.02 for gap in gaps) == pytest.approx(len(gaps) * 0.368, rel=0.08)
