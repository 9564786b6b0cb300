"""CSV and TSV: a table of the beginning, as JSON."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import orjson

from server.previews.job import Job
from server.previews.limits import CELL_CHARS, SEPARATOR_LINES, TABLE_COLUMNS, TABLE_ROWS
from server.previews.makers.texts import beginning
from server.previews.preview import Output, Preview

SEPARATORS = ",;\t|"


def make(job: Job) -> Preview:
    text, whole = beginning(job.path)
    separator = separator_of(text)
    rows, all_rows = _rows(text, separator)
    table, columns = write_table(rows, job.into, separator=separator, whole=whole and all_rows)
    return Preview((table,), text or None, {"columns": columns, "rows": min(len(rows), TABLE_ROWS)})


def separator_of(text: str) -> str:
    """That which most lines of the beginning have, as often as the first one has it."""
    lines = [line for line in text.split("\n", SEPARATOR_LINES)[:SEPARATOR_LINES] if line]
    return max(SEPARATORS, key=lambda separator: _evidence(lines, separator))


def _evidence(lines: list[str], separator: str) -> tuple[int, int]:
    counts = [line.count(separator) for line in lines]
    first = counts[0] if counts else 0
    return (sum(count == first for count in counts) if first else 0, first)


def _rows(text: str, separator: str) -> tuple[list[list[str]], bool]:
    """Rows of any length; and whether they are all. A quote that never ends makes one long cell of the rest."""
    csv.field_size_limit(len(text) + 1)
    rows: list[list[str]] = []
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        if len(rows) == TABLE_ROWS:
            return rows, False
        if row:
            rows.append(row)
    return rows, True


def write_table(
    rows: Iterable[list[str]], into: Path, *, separator: str | None = None, whole: bool
) -> tuple[Output, int]:
    """The file, and how many columns the longest row has."""
    kept = list(rows)
    columns = max(map(len, kept), default=0)
    cells = [[cell[:CELL_CHARS] for cell in row[:TABLE_COLUMNS]] for row in kept[:TABLE_ROWS]]
    said = {"rows": cells, "columns": columns, "separator": separator}
    truncated = not whole or columns > TABLE_COLUMNS or len(kept) > TABLE_ROWS
    path = into / "table.json"
    path.write_bytes(orjson.dumps({**said, "truncated": truncated}))
    return Output("table", path, "application/json", path.stat().st_size), columns
