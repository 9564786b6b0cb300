"""What of the schema is applied."""

from dataclasses import dataclass

from actors.queries import Query


@dataclass(frozen=True, slots=True)
class ListMigrations(Query[tuple[str, ...]]):
    """Names of the migrations that are applied, in order."""
