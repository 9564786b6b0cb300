"""Entries of one log, put in order as they arrive by more ways than one. Pure."""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar


class Entry(Protocol):
    @property
    def offset(self) -> int: ...


E = TypeVar("E", bound=Entry)


class InOrder(Generic[E]):
    """Keeps what arrived before an entry that another process wrote; whoever follows the log brings that."""

    __slots__ = ("early",)

    def __init__(self) -> None:
        self.early: Sequence[E] = ()

    def following(self, head: int, arrived: Sequence[E]) -> Sequence[E]:
        """Those that come next after `head`, without repeats and without a hole. `arrived` is in order."""
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
