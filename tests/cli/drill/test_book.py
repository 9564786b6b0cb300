"""What a drill holds against the promises of a server."""

import pytest

from cli.drill.book import Book, gaps
from cli.drill.running import Found


def test_a_promise_that_is_kept() -> None:
    book = Book()
    book.note("a", "id1", 1)
    book.note("a", "id1", 1)
    assert book.compare([("a", "id1", 1), ("not promised", "id2", 2)]) == (0, 0)


def test_a_message_that_is_lost() -> None:
    book = Book()
    book.note("a", "id1", 1)
    book.note("b", "id2", 2)
    assert book.compare([("a", "id1", 1)]) == (1, 0)


def test_a_message_under_another_offset_is_lost() -> None:
    book = Book()
    book.note("a", "id1", 1)
    assert book.compare([("a", "id1", 2)]) == (1, 0)


def test_a_message_that_is_there_twice() -> None:
    book = Book()
    book.note("a", "id1", 1)
    assert book.compare([("a", "id1", 1), ("a", "id2", 2)]) == (0, 1)


def test_a_message_that_was_answered_as_two() -> None:
    book = Book()
    book.note("a", "id1", 1)
    book.note("a", "id2", 2)
    assert book.compare([("a", "id1", 1)]) == (0, 1)


@pytest.mark.parametrize(("offsets", "found"), [([], 0), ([1, 2, 3], 0), ([1, 3], 1), ([1, 1, 2], 2), ([2], 1)])
def test_offsets_that_do_not_follow_each_other(offsets: list[int], found: int) -> None:
    assert gaps(offsets) == found


@pytest.mark.parametrize(
    "wrong", ["lost", "doubled", "out_of_order", "missed", "repeated", "behind", "damage", "tracebacks"]
)
def test_one_of_anything_is_a_failure(wrong: str) -> None:
    assert Found("kill", "1 kill").holds
    assert not Found("kill", "1 kill", **{wrong: 1}).holds
