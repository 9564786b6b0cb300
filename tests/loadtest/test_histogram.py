"""Percentiles are true within 0.8 %, in memory that does not grow."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.histogram import Histogram

durations = st.floats(min_value=0, max_value=4000, allow_nan=False)


@given(st.lists(durations, min_size=1, max_size=200), st.sampled_from([0.01, 0.5, 0.9, 0.99, 0.999, 1.0]))
def test_a_percentile_is_never_too_short_and_hardly_too_long(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = next(v for n, v in enumerate(sorted(values), 1) if n / len(values) >= share)
    found = histogram.percentile(share)
    assert found is not None
    assert exact - 1e-6 <= found <= exact * 1.008 + 2e-6


def test_its_memory_is_bounded() -> None:
    histogram, chance = Histogram(), random.Random(1)
    for _ in range(100_000):
        histogram.add(10 ** chance.uniform(-7, 5))
    assert len(list(histogram.curve())) < 3_400
    assert histogram.count == 100_000


def test_merged_it_is_what_one_would_have_been() -> None:
    parts, whole = [Histogram(), Histogram()], Histogram()
    for number in range(1000):
        parts[number % 2].add(number / 1000)
        whole.add(number / 1000)
    parts[0].merge(parts[1])
    assert list(parts[0].curve()) == list(whole.curve())
    assert parts[0].mean == pytest.approx(whole.mean)


def test_empty_it_knows_nothing() -> None:
    assert Histogram().percentile(0.5) is None
    assert Histogram().mean is None
