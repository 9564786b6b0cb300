"""A rule of `xp db check`: what must hold in every database, as SQL that finds where it does not."""

from dataclasses import dataclass

from actors.event_kinds import KINDS


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    sentence: str
    """Of one finding; its fields are the columns of `query`."""
    query: str
    """Rows: what breaks the rule. `$whole` stands for: the thread t is; `$types` for the types of entries."""

    @property
    def sql(self) -> str:
        types = ", ".join(map(repr, KINDS))
        whole = "(t.deleted_at IS NULL OR t.deleted_at >= :cutoff)"
        return self.query.replace("$whole", whole).replace("$types", types)
