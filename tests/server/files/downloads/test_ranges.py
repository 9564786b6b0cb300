"""What a `Range` asks for, and what it may cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from actors import limits
from actors.errors import RangeNotSatisfiable
from server.files.downloads.ranges import Slice, Span, slices_of, span_of


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-", [(0, 100)]),
        ("bytes=90-200", [(90, 100)]),
        ("bytes=-10", [(90, 100)]),
        ("bytes=-1000", [(0, 100)]),
        ("BYTES = 5-6", [(5, 7)]),
        ("bytes=50-59, 10-19", [(50, 60), (10, 20)]),
        ("bytes=50-59, 10-19, 55-70", [(10, 20), (50, 71)]),
        ("bytes=0-9,10-19", [(0, 20)]),
        ("bytes=0-9,500-600", [(0, 10)]),
        ("bytes=0-9,,20-29", [(0, 10), (20, 30)]),
    ],
)
def test_ranges_are_read(header: str, found: list[tuple[int, int]]) -> None:
    assert slices_of(header, 100) == tuple(Slice(*pair) for pair in found)


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "lines=0-1", "bytes=1-2;3", "bytes=+1-2"],
)
def test_what_cannot_be_read_is_ignored(header: str | None) -> None:
    assert slices_of(header, 100) == ()


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200,300-400", "bytes=-0"])
def test_ranges_outside_are_refused_with_the_size(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as refused:
        slices_of(header, 100)
    assert refused.value.data["headers"] == {"Content-Range": "bytes */100"}


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-0", "bytes=0-9,5-"])
def test_of_an_empty_content_no_range_can_be_had(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        slices_of(header, 0)


@pytest.mark.parametrize("header", ["bytes=-1", "bytes=-500", "bytes=0-,-1"])
def test_the_last_bytes_of_an_empty_content_are_all_of_it(header: str) -> None:
    """RFC 9110, 14.1.2: a suffix range is satisfiable where its length is not zero; of what is shorter it is all."""
    assert slices_of(header, 0) == ()


def test_more_ranges_than_are_worth_it_get_the_whole() -> None:
    many = [f"{n * 10}-{n * 10 + 1}" for n in range(limits.RANGES + 1)]
    assert slices_of("bytes=" + ",".join(many), 10_000) == ()
    assert len(slices_of("bytes=" + ",".join(many[:-1]), 10_000)) == limits.RANGES


PAIRS = some.lists(some.tuples(some.integers(0, 120), some.integers(0, 120)).map(sorted), min_size=1, max_size=8)


@given(PAIRS)
def test_slices_are_what_was_asked_for_and_never_more_than_the_whole(pairs: list[list[int]]) -> None:
    header = "bytes=" + ",".join(f"{first}-{last}" for first, last in pairs)
    wanted = {byte for first, last in pairs for byte in range(first, last + 1) if byte < 100}
    if not wanted:
        with pytest.raises(RangeNotSatisfiable):
            slices_of(header, 100)
        return
    found = slices_of(header, 100)
    assert {byte for part in found for byte in range(part.start, part.end)} == wanted
    assert sum(part.size for part in found) == len(wanted)


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes 0-9/10", Span(0, 9, 10)),
        ("bytes 5-9/*", Span(5, 9, None)),
        ("bytes */10", Span(None, -1, 10)),
        ("bytes 5-4/10", None),
        ("bytes 0-10/10", None),
        ("bytes=0-9/10", None),
        ("lines 0-9/10", None),
    ],
)
def test_the_span_of_an_upload_is_read(header: str, span: Span | None) -> None:
    assert span_of(header) == span
