"""What comes first."""

from hypothesis import given
from hypothesis import strategies as st

from storage.search.ranking import HALF_LIFE_MS, rank, score, worth

NOW = 1_800_000_000_000


def test_more_hits_are_worth_more_and_long_texts_less() -> None:
    assert worth(1, 200) < worth(2, 200) < worth(3, 200)
    assert worth(2, 200) - worth(1, 200) > worth(3, 200) - worth(2, 200)
    assert worth(1, 20) > worth(1, 200) > worth(1, 20_000)
    assert worth(1, 200) == 1.0


def test_age_halves_a_score() -> None:
    fresh, old = rank(1, 200, NOW), rank(1, 200, NOW - HALF_LIFE_MS)
    assert score(fresh, NOW) == 1.0
    assert score(old, NOW) == 0.5
    assert score(rank(1, 200, 0), NOW) == 0.0
    assert score(rank(1, 200, NOW * 2), NOW) == 1024.0  # a clock that was wrong


def test_what_was_not_looked_at_to_its_end_counts_as_one_hit() -> None:
    assert rank(0, 200, NOW) == rank(1, 200, NOW)


@given(st.integers(0, 1000), st.integers(0, 10**6), st.integers(0, 2**42), st.integers(0, 2**42))
def test_ranks_fit_a_cursor_and_time_keeps_their_order(hits: int, chars: int, made_at: int, later: int) -> None:
    first, second = rank(hits, chars, made_at), rank(1, 200, made_at)
    assert abs(first) < 10**18
    assert (first > second) >= (score(first, later) > score(second, later))
