"""Entries of one log that arrive on two ways (own commits, the follower), put in order. Pure."""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar


class Entry(Protocol):
    @property
    def offset(self) -> int: ...


E = TypeVar("E", bound=Entry)


class InOrder(Generic[E]):
    """Keeps entries that arrived before one that another process wrote, until the follower brings that one."""

    __slots__ = ("early",)

    def __init__(self) -> None:
        self.early: Sequence[E] = ()

    def following(self, head: int, arrived: Sequence[E]) -> Sequence[E]:
        """The entries that continue the log after `head`, without repeats and without a gap. `arrived` is in order."""
        if self.early:
            arrived = sorted((*self.early, *arrived), key=_offset_of)
            self.early = ()
        run, early = [], []
        for entry in arrived:
            if entry.offset == head + 1:
                head += 1
                run.append(entry)
            elif entry.offset > head:
                early.append(entry)
        if early:
            self.early = early
        return run


def _offset_of(entry: Entry) -> int:
    return entry.offset
