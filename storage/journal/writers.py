"""Which function writes what a command asks for: it stands in `storage/resources/<resource>/` and names the command.

@writes(UpdateNote)
def update_note(tx: Transaction, command: UpdateNote) -> Done: ...
"""

from collections.abc import Callable
from typing import Any, TypeVar

from actors.outcomes import Done
from storage.journal.transaction import Transaction

C = TypeVar("C")
Writer = Callable[[Transaction, C], Done]

_WRITERS: dict[type, Writer[Any]] = {}


def writes(kind: type[C]) -> Callable[[Writer[C]], Writer[C]]:
    """The function stays what it is: others may call it within the same transaction."""

    def register(writer: Writer[C]) -> Writer[C]:
        assert kind not in _WRITERS, f"{kind.__name__} has two writers"
        _WRITERS[kind] = writer
        return writer

    return register


def writer_of(kind: type) -> Writer[Any]:
    """The function for the command's class, or for the nearest of its bases that has one."""
    found = _WRITERS.get(kind) or next((_WRITERS[base] for base in kind.__mro__ if base in _WRITERS), None)
    if found is None:
        raise LookupError(f"No function in storage/resources/ writes {kind.__name__}: see `@writes`.")
    return found


def written() -> frozenset[type]:
    """Classes of commands that have a writer."""
    return frozenset(_WRITERS)
