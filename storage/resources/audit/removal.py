"""What retention has removed from the beginning of the audit log, as an entry of the log itself records it.

Such an entry says how many entries went in all, and the hash of the last of them: the oldest entry that is left is
chained to that hash. So the newest of these entries is the anchor of the chain. It is covered by the hashes that follow
it, as every entry is, and only an entry can be an anchor: who cuts entries off by hand must write one, too.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from peewee import SqliteDatabase

from storage.resources.audit.chain import GENESIS
from storage.schema.identity_models import Audit

ACTION: Final = "prune_audit"


@dataclass(frozen=True, slots=True)
class Removal:
    entries: int
    """In all, since the log began."""
    hash: str
    """Of the newest one that was removed."""
    former_hash: str | None
    """The same, where it was written before there were seals."""
    until: int
    """When the newest one that was removed was written: milliseconds since 1970."""
    at: int = 0
    """When it was removed."""

    def facts(self) -> dict[str, Any]:
        """As the entry has them."""
        facts = {"entries": self.entries, "hash": self.hash, "until": self.until}
        return facts if self.former_hash is None else facts | {"former_hash": self.former_hash}


BEGINNING: Final = Removal(0, GENESIS, GENESIS, 0)
"""Of a log from which nothing was removed."""


def newest(database: SqliteDatabase) -> Removal:
    """`BEGINNING` where there is none, or where it was tampered with so that it cannot be read: then the oldest entry
    that is left follows from nothing."""
    query = Audit.select(Audit.at, Audit.after).where(Audit.action == ACTION).order_by(Audit.id.desc()).limit(1)
    found = database.execute_sql(*query.bind(database).sql()).fetchone()
    return (_read(*found) if found else None) or BEGINNING


def _read(at: Any, after: Any) -> Removal | None:
    try:
        facts = json.loads(after)
        removal = Removal(facts["entries"], facts["hash"], facts.get("former_hash"), facts["until"], at)
    except (TypeError, ValueError, LookupError, AttributeError):
        return None
    numbers, texts = (removal.entries, removal.until, at), (removal.hash, removal.former_hash or "")
    is_sound = all(isinstance(each, int) for each in numbers) and all(isinstance(each, str) for each in texts)
    return removal if is_sound else None
