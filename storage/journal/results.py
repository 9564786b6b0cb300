"""How the result of a command is kept for its idempotency key: as a reference, by which a retry reads it as it is now.

A resource registers the records that its commands answer beside their writers (`storage/resources/<resource>/`):

    results.keep(Note, refer=lambda note: {"id": note.id}, load=_again)
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

from actors.auth.identity import Identity
from actors.commands import Gone
from actors.errors import NotFound
from storage.journal.transaction import Transaction

T = TypeVar("T")
Reference = dict[str, Any]
"""A small JSON object."""
Load = Callable[[Transaction, Identity, Reference], T | None]
"""None where the record is gone, or not visible to the identity any more."""


class _Kind(NamedTuple):
    refer: Callable[[Any], Reference]
    load: Load[Any]


_KINDS: dict[str, _Kind] = {}


def keep(record: type[T], *, refer: Callable[[T], Reference], load: Load[T]) -> None:
    """The name of the record's class is stored: a class that is renamed needs a migration."""
    assert record.__name__ not in _KINDS, f"{record.__name__} is kept in two ways"
    _KINDS[record.__name__] = _Kind(refer, load)


def reference_of(result: object) -> Reference:
    if result is None or isinstance(result, int):
        return {"kind": "plain", "value": result}
    name = type(result).__name__
    if name not in _KINDS:
        raise TypeError(f"no reference is defined for {name}: see storage/journal/results.py")
    return {"kind": name, **_KINDS[name].refer(result)}


def load(tx: Transaction, identity: Identity, reference: Reference) -> object:
    """Raises `NotFound`."""
    if reference["kind"] == "plain":
        return cast(object, reference["value"])  # of JSON: Any
    found = _KINDS[reference["kind"]].load(tx, identity, reference)
    if found is None:
        raise NotFound(str(reference["kind"]).lower())
    return cast(object, found)  # a loader may answer any record


keep(Gone, refer=lambda gone: {"id": gone.id}, load=lambda _tx, _identity, reference: Gone(reference["id"]))
