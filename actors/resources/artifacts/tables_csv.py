"""Tables as CSV (RFC 4180) that a spreadsheet opens without running anything. Pure.

A text that begins with `=`, `+`, `-`, `@`, a tab or a line break is a formula to a spreadsheet: an apostrophe before it
makes it text. Numbers stay numbers.
"""

import csv
import io
from collections.abc import Iterable

from actors.resources.artifacts.markdown import text
from actors.resources.artifacts.outline import Cell, Table

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def encoded(table: Table) -> bytes:
    """With a byte order mark, by which spreadsheets know UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    if table.columns:
        writer.writerow(map(defused, table.columns))
    writer.writerows(map(defused, row) for row in table.rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def defused(cell: Cell) -> str:
    said = text(cell)
    return f"'{said}" if isinstance(cell, str) and said.lstrip(" ").startswith(_FORMULAS) else said


def file_names(wanted: Iterable[str], extension: str) -> list[str]:
    """A name for each that no other has."""
    names: dict[str, None] = {}
    for each in wanted:
        base = "".join(c if c.isalnum() or c in "-_" else "-" for c in each)[:64] or "file"
        name, number = base, 2
        while f"{name}.{extension}" in names:
            name, number = f"{base}-{number}", number + 1
        names[f"{name}.{extension}"] = None
    return list(names)
