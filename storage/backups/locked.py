"""Backups whose key BACKUP_KEY lacks: they cannot be restored until it is added."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from actors import limits
from storage.backups import sealing
from storage.backups.keys import SealingKey
from storage.backups.shelf import Shelf, backups_on


@dataclass(frozen=True, slots=True)
class Locked:
    names: tuple[str, ...]
    """The oldest first."""
    keys: tuple[str, ...]
    """What tells the missing keys apart, as messages name them."""

    def __str__(self) -> str:
        named = self.names[0] if len(self.names) == 1 else f"{len(self.names)} backups ({self.names[0]} and newer ones)"
        return f"BACKUP_KEY lacks the key of {named}: {', '.join(self.keys)}"


def locked(shelf: Shelf, keys: Iterable[SealingKey]) -> Locked | None:
    """None where all of them can be opened. Raises `BlobStoreError`."""
    known, names, missing = {key.id for key in keys}, [], {}
    oldest = (backup for backup in reversed(backups_on(shelf)) if backup.is_sealed)
    for backup in islice(oldest, limits.BACKUPS_LOOKED_AT):
        try:
            found = sealing.key_id(shelf.begin(backup.name, sealing.HEADER))
        except FileNotFoundError:  # removed meanwhile
            continue
        if found is not None and found not in known:
            names.append(backup.name)
            missing[found.hex()] = True
    return Locked(tuple(names), tuple(missing)) if names else None
