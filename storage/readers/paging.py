"""Pages end by count or by bytes, whichever comes first: a hundred of the largest messages would be 40 MB."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, TypeVar

from actors import limits

T = TypeVar("T")
Row = tuple[Any, ...]


def page_of(
    found: Iterable[Row],
    limit: int,
    make: Callable[[Sequence[Row]], Iterable[T]],
    weigh: Callable[[T], int],
    *,
    room: int = limits.PAGE_BYTES,
) -> tuple[tuple[T, ...], bool]:
    """The first records of what a statement finds: `limit` of them, or as many as weigh `room` bytes; and whether
    there are more. One there always is, where there is any: a page that holds nothing would lead nowhere.

    `found` is read a few rows at a time, so that what is not shown is not read; ask for `limit` + 1 rows.
    """
    shown: list[T] = []
    rows, weight = iter(found), 0
    while chunk := list(islice(rows, limits.PAGE_STEP)):
        for record in make(chunk):
            weight += weigh(record)
            if len(shown) == limit or (shown and weight > room):
                return tuple(shown), True
            shown.append(record)
    return tuple(shown), False
