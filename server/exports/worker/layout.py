"""Where panels of a dashboard stand on paper, and how wide columns of a table are. Pure."""

import re
from collections.abc import Sequence
from typing import Any, Final

Node = dict[str, Any]
WEIGHT: Final = (4, 40)
"""Characters of the longest cell, as far as they count for the width of a column."""
SIZES: Final = ((6, 9.0), (10, 7.5), (16, 6.0), (50, 4.0))
"""Up to so many columns → points of the text: 50 columns are there, not pretty."""
LINE: Final = 70
"""Characters that fit beside each other. A word of a table that is longer than its column may break: else it would run
into the next cell."""


def table(columns: Sequence[Any], rows: Sequence[Sequence[Any]], left_out: int, width: int = 0) -> Node:
    """Head and rows with a text for each cell, or `{"n": text}` for a number; relative widths; size of the text."""
    width = max([width, len(columns), *map(len, rows)], default=0) or 1
    long = re.compile(rf"(\S{{{max(3, LINE // width)}}})(?=\S)")
    head = [*(_broken(name, long) for name in columns), *[""] * (width - len(columns))] if columns else []
    filled = [[*(_broken(cell, long) for cell in row), *[""] * (width - len(row))] for row in rows]
    lines = [head, *filled] if head else filled
    widths = [_weight([line[place] for line in lines]) for place in range(width)]
    return {"head": head, "rows": filled, "widths": widths, "size": _size(width), "left_out": left_out}


def _broken(cell: Any, long: re.Pattern[str]) -> Any:
    """With zero-width spaces in long words; a number stays whole."""
    return cell if isinstance(cell, dict) else long.sub("\\1\u200b", cell)


def _weight(cells: Sequence[Any]) -> int:
    longest = max((len(cell["n"] if isinstance(cell, dict) else cell) for cell in cells), default=0)
    return min(max(longest, WEIGHT[0]), WEIGHT[1])


def _size(width: int) -> float:
    return next((points for most, points in SIZES if width <= most), SIZES[-1][1])


def placed(panels: Sequence[Node], columns: int) -> list[Node]:
    """Each with x, y, w, h in a grid without empty rows. Panels that overlap another, or say no place, stand below all
    others, as wide as the page."""
    standing: list[Node] = []
    homeless: list[Node] = []
    for panel in panels:
        grid = panel["grid"]
        fits = grid is not None and grid["x"] + grid["w"] <= columns
        (standing if fits and not any(_overlap(grid, each["grid"]) for each in standing) else homeless).append(panel)
    edges = sorted({edge for each in standing for edge in (each["grid"]["y"], each["grid"]["y"] + each["grid"]["h"])})
    row = {edge: number for number, edge in enumerate(edges)}
    found = [_at(each, row) for each in standing]
    below = max(len(edges) - 1, 0)
    return found + [
        {**each, "x": 0, "y": below + number, "w": columns, "h": 1} for number, each in enumerate(homeless)
    ]  # fmt: skip


def _at(panel: Node, row: dict[int, int]) -> Node:
    grid = panel["grid"]
    top, bottom = row[grid["y"]], row[grid["y"] + grid["h"]]
    return {**panel, "x": grid["x"], "y": top, "w": grid["w"], "h": bottom - top}


def _overlap(one: Node, other: Node) -> bool:
    return bool(
        one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]
    )  # fmt: skip
