"""All items of what storage answers page by page."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from actors.page import Page

T = TypeVar("T")


def every(read: "Callable[[int | None], Page[T]]", cursor: Callable[[str], int] = int) -> Iterator[T]:
    """`read` is given where a page starts; `cursor` makes that of the page's own `next_cursor`."""
    start: int | None = None
    while True:
        page = read(start)
        yield from page.items
        if page.next_cursor is None:
            return
        start = cursor(page.next_cursor)
