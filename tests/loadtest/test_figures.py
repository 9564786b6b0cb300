"""Figures of a run: bounded in memory, however long it lasts."""

from actors import limits
from loadtest.cursors import Cursor
from loadtest.figures import Figures, Timeline
from loadtest.marks import due_of, marked


def test_a_long_line_keeps_its_sum_in_wider_slots() -> None:
    timeline = Timeline()
    for second in range(3600):
        timeline.at(second).done += 1
    assert len(timeline.slots) <= limits.LOAD_SLOTS
    assert timeline.width == 16
    assert sum(slot.done for slot in timeline.slots) == 3600


def test_error_codes_beyond_many_are_one() -> None:
    figures = Figures(0.0)
    for number in range(limits.LOAD_ERRORS + 50):
        figures.failed("post", f"code_{number}", 1.0)
    assert len(figures.errors) == limits.LOAD_ERRORS + 1
    assert figures.errors["post", "other"] == 50
    assert figures.counts == (0, limits.LOAD_ERRORS + 50)


def test_a_cursor_counts_what_was_skipped_and_what_came_again() -> None:
    cursor = Cursor(offset=5)
    assert [cursor.take(offset) for offset in (6, 7, 7, 10, 6)] == [True, True, False, True, False]
    assert (cursor.offset, cursor.missed, cursor.doubled) == (10, 2, 2)


def test_the_moment_in_a_text_is_read_back_of_the_same_run_alone() -> None:
    text = marked("0badcafe", 12.25, 100)
    assert len(text) == 100
    assert due_of("0badcafe", text) == 12.25
    assert due_of("deadbeef", text) is None
    assert due_of("0badcafe", "hello") is None
    assert due_of("0badcafe", None) is None
