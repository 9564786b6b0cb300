"""Public identifiers: 25 characters, unique, in the order in which they were made."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from actors import identifiers
from actors.identifiers import is_id, new_id


def test_their_form() -> None:
    made = new_id()
    assert re.fullmatch(r"c[0-9a-z]{24}", made)
    assert is_id(made)


def test_they_are_unique_and_sort_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(50_000)]
    assert len(set(made)) == len(made)
    assert made == sorted(made)


def test_they_begin_with_the_time() -> None:
    before = time.time_ns() // 1_000_000
    made = int(new_id()[1:9], 36)
    assert before - 1 <= made <= time.time_ns() // 1_000_000 + 1


def test_os_threads_do_not_make_the_same() -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: [new_id() for _ in range(5_000)], range(8)))
    everything = [made for run in runs for made in run]
    assert len(set(everything)) == len(everything)
    assert all(run == sorted(run) for run in runs)


def test_a_clock_that_goes_back_does_not_break_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_id()
    an_hour_ago = time.time_ns() - 3_600 * 10**9
    with monkeypatch.context() as patched:
        patched.setattr(time, "time_ns", lambda: an_hour_ago)
        meanwhile = [new_id() for _ in range(10)]
    made = [before, *meanwhile, new_id()]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_more_than_the_counter_holds_in_one_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    monkeypatch.setattr(identifiers, "_source", identifiers._Source())
    monkeypatch.setattr(time, "time_ns", lambda: now)
    monkeypatch.setattr(identifiers, "_COUNTER_SPAN", 10)
    made = [new_id() for _ in range(35)]
    assert made == sorted(made)
    assert len(set(made)) == 35
    assert len({one[:9] for one in made}) > 1


@pytest.mark.parametrize(
    "text",
    [
        "", "c", "c" + "0" * 23, "c" + "0" * 25, "x" + "0" * 24, "C" + "0" * 24, "c" + "0" * 23 + "A",
        "c" + "0" * 23 + "-", "c" + "0" * 24 + "\n", "c" + "\N{ARABIC-INDIC DIGIT ZERO}" * 24, " c" + "0" * 24,
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    assert not is_id(text)
