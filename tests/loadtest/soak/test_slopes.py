"""The verdict on growth, with series that were made up."""

import random
from collections.abc import Callable

import pytest

from loadtest.soak.slopes import Verdict, judge

MIB = 2**20


def verdict(of: Callable[[float], float | None], *, name: str = "memory", seconds: int = 3600) -> Verdict:
    times = [float(at) for at in range(0, seconds, 5)]
    (found,) = judge(times, {name: [of(at) for at in times]})
    return found


def test_a_leak_is_found_and_its_size_is_right() -> None:
    chance = random.Random(1)
    found = verdict(lambda at: 100 * MIB + at / 3600 * 60 * MIB + chance.gauss(0, 2 * MIB))
    assert found.is_flat is False
    assert found.per_hour == pytest.approx(60 * MIB, rel=0.05)
    assert found.growth == pytest.approx(40 * MIB, rel=0.05)


def test_noise_is_flat() -> None:
    chance = random.Random(2)
    assert verdict(lambda _: 100 * MIB + chance.gauss(0, 5 * MIB)).is_flat


def test_what_grows_in_the_first_third_alone_is_flat() -> None:
    assert verdict(lambda at: min(at, 1100) / 1100 * 200 * MIB).is_flat


def test_a_few_spikes_do_not_make_a_trend() -> None:
    assert verdict(lambda at: 900 * MIB if at % 100 == 0 and at > 3000 else 100 * MIB).is_flat


def test_what_falls_is_flat() -> None:
    assert verdict(lambda at: 200 * MIB - at / 3600 * 100 * MIB).is_flat


def test_small_growth_of_a_small_process_is_noise() -> None:
    assert verdict(lambda at: 20 * MIB + at / 3600 * 6 * MIB).is_flat


def test_files_that_are_never_closed() -> None:
    found = verdict(lambda at: 40 + at // 60, name="files")
    assert found.is_flat is False
    assert found.per_hour == pytest.approx(60, rel=0.05)


def test_samples_that_are_missing_are_left_out() -> None:
    found = verdict(lambda at: None if at % 2 else 100 * MIB + at / 3600 * 60 * MIB)
    assert found.is_flat is False
    assert found.samples == pytest.approx(240, abs=2)


@pytest.mark.parametrize("seconds", [0, 5, 200, 400])
def test_what_is_too_short_is_not_judged(seconds: int) -> None:
    assert verdict(lambda at: at * MIB, seconds=seconds).is_flat is None


def test_a_series_without_a_rule_is_not_judged() -> None:
    assert judge([0.0, 1.0], {"database": [1.0, 9.0]}) == []
