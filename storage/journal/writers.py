"""Which function writes what a command asks for: it stands in `storage/resources/<resource>/` and names the command.

@writes(UpdateNote)
def update_note(tx: Transaction, command: UpdateNote) -> Done[Note]: ...
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from actors.commands import Makes
from actors.outcomes import Done
from storage.journal.transaction import Transaction

C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)
T = TypeVar("T")
Writer = Callable[[Transaction, Any], Done[Any]]

_WRITERS: dict[type, Writer] = {}


def writes(kind: type[C]) -> "_Writes[C]":
    """The function takes the command, and answers what the command says that it comes to; it stays what it is: others
    may call it within the same transaction."""
    return _Writes(kind)


class _Writes(Generic[C_co]):
    def __init__(self, kind: type[C_co]) -> None:
        self._kind = kind

    def __call__(
        self: "_Writes[Makes[T]]", writer: Callable[[Transaction, C_co], Done[T]]
    ) -> Callable[[Transaction, C_co], Done[T]]:
        assert self._kind not in _WRITERS, f"{self._kind.__name__} has two writers"
        _WRITERS[self._kind] = writer
        return writer


def writer_of(kind: type) -> Writer:
    """The function for the command's class, or for the nearest of its bases that has one."""
    found = _WRITERS.get(kind) or next((_WRITERS[base] for base in kind.__mro__ if base in _WRITERS), None)
    if found is None:
        raise LookupError(f"No function in storage/resources/ writes {kind.__name__}: see `@writes`.")
    return found


def written() -> frozenset[type]:
    """Classes of commands that have a writer."""
    return frozenset(_WRITERS)
