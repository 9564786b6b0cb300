"""What becomes of the rows that name a user: when the user is deleted, and in the export of all data about them.

Declared beside each resource as `PERSONAL` (see `storage/declared.py`), for every column that names a user: a test
holds that none is forgotten.
"""

from dataclasses import dataclass
from typing import Any

from actors.queries import Query


@dataclass(frozen=True, slots=True, eq=False)
class Personal:
    column: Any
    """A field of a table, such as `Message.author`."""
    kept: str = ""
    """Why its rows stay when the user is deleted. Where nothing is said they go."""
    export: type[Query[Any]] | None = None
    """The query by which an export reads them."""
    withheld: str = ""
    """Why an export does not show them."""

    def __post_init__(self) -> None:
        if (self.export is None) == (not self.withheld):
            raise ValueError(f"expected either `export` or `withheld` of {self}; got both or neither.")

    def __str__(self) -> str:
        return f"{self.column.model._meta.table_name}.{self.column.name}"
