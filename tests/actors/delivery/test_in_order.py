"""Entries of one log that arrive on two ways, put in order."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.delivery.in_order import InOrder


@dataclass(frozen=True)
class Entry:
    offset: int


def offsets(order: InOrder[Entry], head: int, *arrived: int) -> list[int]:
    return [entry.offset for entry in order.following(head, [Entry(offset) for offset in arrived])]


def test_what_continues_the_log_goes_on_at_once() -> None:
    order = InOrder[Entry]()
    assert offsets(order, 4, 5, 6) == [5, 6]
    assert order.early == ()


def test_what_arrived_early_waits_for_the_entry_before_it() -> None:
    order = InOrder[Entry]()
    assert offsets(order, 4, 6, 7) == []
    assert offsets(order, 4, 9) == []
    assert offsets(order, 4, 5) == [5, 6, 7]
    assert offsets(order, 7, 8) == [8, 9]
    assert order.early == ()


@pytest.mark.parametrize("arrived", [(4,), (1, 2, 3), (4, 4)])
def test_what_was_there_is_not_repeated(arrived: tuple[int, ...]) -> None:
    order = InOrder[Entry]()
    assert offsets(order, 4, *arrived) == []
    assert offsets(order, 4, 5, 5) == [5]
    assert order.early == ()


@given(st.permutations(range(1, 9)), st.lists(st.integers(1, 8)))
def test_in_any_order_each_goes_on_once(first: list[int], again: list[int]) -> None:
    order, seen = InOrder[Entry](), []
    for offset in (*first[:4], *again, *first[4:]):
        seen += offsets(order, len(seen), offset)
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8]
