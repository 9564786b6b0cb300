"""A page of a list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, and where the next one starts."""

    items: tuple[T, ...]
    next_cursor: str | None
    head: int | None = None
    """For pages of a thread: the offset of its log, read before the items."""
