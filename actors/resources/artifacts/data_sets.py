"""Data sets of an artifact: named tables that change without a new version, for panels that are live. Pure.

Each has columns and rows; it is replaced as a whole, or rows are appended. Its revision grows with each change.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from actors import limits
from actors.commands import Gone, IfVersion, ThreadCommand
from actors.errors import ValidationFailed
from actors.events import EventKind
from actors.queries import IdentityQuery
from actors.resources.artifacts.outline import DataSet
from actors.resources.users import Author

DataSetChange = Literal["replaced", "appended", "deleted"]
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PROBLEMS: Final = 20
"""Faults reported for one table, at most."""


@dataclass(frozen=True, slots=True)
class StoredData:
    artifact_id: str
    name: str
    columns: tuple[str, ...]
    count: int
    """Of its rows."""
    size: int
    """Bytes of its rows as JSON."""
    revision: int
    updated_by: Author
    updated_at: int
    rows: tuple[str, ...] | None = None
    """JSON lists; None where they were not asked for."""

    @property
    def table(self) -> DataSet:
        return DataSet(self.columns, tuple(json.loads(row) for row in self.rows or ()))


@dataclass(frozen=True, slots=True)
class DataChanged:
    """The event of a change. It has no rows: clients fetch them."""

    artifact_id: str
    name: str
    change: DataSetChange
    revision: int
    count: int
    """Rows after it."""


ARTIFACT_DATA_UPDATED: Final = EventKind("artifact.data_updated", DataChanged, "artifact")


@dataclass(slots=True, kw_only=True)
class ReplaceData(ThreadCommand[StoredData]):
    """Answers the `StoredData`, without its rows."""

    artifact_id: str
    name: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    """JSON lists, as `checked` answers them."""
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class AppendData(ThreadCommand[StoredData]):
    """Answers the `StoredData`, without its rows. Raises `ValidationFailed` for rows of another width."""

    artifact_id: str
    name: str
    rows: tuple[str, ...]
    width: int
    """Cells of each."""
    keep: int | None = None
    """The newest so many rows are kept."""
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class DeleteData(ThreadCommand[Gone]):
    """Answers `Gone`."""

    artifact_id: str
    name: str
    if_version: IfVersion = None


@dataclass(frozen=True, slots=True)
class GetData(IdentityQuery[StoredData]):
    """With its rows."""

    artifact_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ListData(IdentityQuery[tuple[StoredData, ...]]):
    """Of an artifact, by name."""

    artifact_id: str
    with_rows: bool = False


def checked(rows: Sequence[Any], width: int) -> tuple[str, ...]:
    """Each row as JSON. Raises `ValidationFailed`. Takes milliseconds: not for the event loop."""
    errors: dict[str, list[str]] = {}
    for path, sentence in _problems(rows, width):
        errors.setdefault(path, []).append(sentence)
        if len(errors) >= _PROBLEMS:
            break
    if errors:
        raise ValidationFailed(errors)
    made = tuple(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    if (size := size_of(made)) > limits.DATA_BYTES:
        raise ValidationFailed({"rows": [f"may be at most {limits.DATA_BYTES} bytes as JSON, this has {size}."]})
    return made


def size_of(rows: Sequence[str]) -> int:
    return len("".join(rows).encode())


def _problems(rows: Sequence[Any], width: int) -> Iterator[tuple[str, str]]:
    for index, row in enumerate(rows):
        if not isinstance(row, list):
            yield f"rows.{index}", "expected a list of cells."
        elif len(row) != width:
            yield f"rows.{index}", f"expected {width} cells, got {len(row)}."
        else:
            yield from _cells(row, index)


def _cells(row: list[Any], index: int) -> Iterator[tuple[str, str]]:
    for place, cell in enumerate(row):
        if isinstance(cell, str):
            if len(cell) > limits.DATA_CELL_CHARS or "\x00" in cell:
                expected = f"expected at most {limits.DATA_CELL_CHARS} characters, and no NUL."
                yield f"rows.{index}.{place}", expected
        elif cell is not None and not isinstance(cell, int | float):
            yield f"rows.{index}.{place}", "expected a text, a number, true, false or null."
