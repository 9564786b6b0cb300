"""Events on their way: encoded once for everybody, and cut where somebody has seen the beginning."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import limits
from actors.delivery.publication import LivePublication, Publication, Publications, in_frames
from tests.builders import identity


def publications(*offsets: int) -> Publications:
    return Publications("c", [Publication(n, n * 10, "t", b"%d" % n) for n in offsets])


def joined(channel: str, items: Sequence[Publication]) -> bytes:
    return channel.encode() + b":" + b",".join(item.data for item in items)


def test_where_they_begin_and_end() -> None:
    some = publications(3, 4, 5)
    assert (some.channel, some.first, some.last) == ("c", 3, 5)
    assert [item.position for item in some.items] == [30, 40, 50]


def test_what_serves_both_forms_counts_once() -> None:
    data = b"12345"
    assert LivePublication(1, data, "c", identity("ana"), as_json=data).size == 5
    assert LivePublication(1, data, "c", identity("ana"), as_json=b"1234567").size == 12


def test_a_format_is_made_once_and_shared() -> None:
    calls: list[str] = []

    def counted(channel: str, items: Sequence[Publication]) -> bytes:
        calls.append(channel)
        return joined(channel, items)

    some = publications(1, 2)
    first = some.wire(counted)
    assert first == b"c:1,2"
    assert some.wire(counted) is first
    assert calls == ["c"]
    assert some.wire(lambda channel, items: b"other") == b"other"
    assert some.wire(counted) is first


def test_what_comes_after() -> None:
    some = publications(3, 4, 5)
    assert some.after(0) is some
    assert some.after(2) is some
    rest = some.after(3)
    assert rest is not None
    assert rest.wire(joined) == b"c:4,5"
    assert (rest.first, rest.last) == (4, 5)
    assert some.after(5) is None
    assert some.after(9) is None
    assert some.wire(joined) == b"c:3,4,5"


@given(first=st.integers(1, 20), count=st.integers(1, 10), offset=st.integers(0, 40))
def test_after_is_exactly_what_is_newer(first: int, count: int, offset: int) -> None:
    some = publications(*range(first, first + count))
    rest = some.after(offset)
    newer = [n for n in range(first, first + count) if n > offset]
    assert ([item.offset for item in rest.items] if rest else []) == newer


@pytest.mark.parametrize(
    ("sizes", "frames"),
    [
        ([4, 6], [[4, 6]]), ([4, 6, 1], [[4, 6], [1]]), ([4, 7, 3], [[4], [7, 3]]), ([11], [[11]]),
        ([11, 1], [[11], [1]]), ([1, 11, 2, 8, 1], [[1], [11], [2, 8], [1]]), ([11, 2, 9], [[11], [2], [9]]),
    ],
)  # fmt: skip
def test_a_frame_takes_as_much_as_fits_and_at_least_one(
    sizes: list[int], frames: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PUBLICATIONS_BYTES", 10)
    items = [Publication(n, n, "t", b"x" * size) for n, size in enumerate(sizes, 1)]
    framed = list(in_frames(items))
    assert [[len(item.data) for item in frame] for frame in framed] == frames
    assert [item for frame in framed for item in frame] == items
