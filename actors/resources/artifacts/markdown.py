"""An artifact as Markdown. Pure.

What an author wrote as Markdown stays as it is; titles, cells and captions are escaped, so that they are only text.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from actors.resources.artifacts.outline import (
    Cell,
    Chart,
    Figure,
    Heading,
    Link,
    Metric,
    Panel,
    Part,
    Row,
    Table,
    Text,
    chart_data,
)
from actors.resources.blocks.markdown import escaped, link

_SPACES: Final = re.compile(r"\s+")


def document(title: str, parts: Iterable[Part]) -> str:
    return "\n\n".join([f"# {_line(title)}", *filter(None, map(shown, parts))]) + "\n"


def shown(part: Part) -> str:
    match part:
        case Heading():
            return f"{'#' * part.level} {_line(part.text)}"
        case Text():
            return part.markdown.strip()
        case Table():
            return _with_caption(table(part.columns, part.rows), part.caption)
        case Chart():
            return _chart(part)
        case Figure():
            return _figure(part)
        case Metric():
            return _metric(part)
        case Link():
            return link(part.url, part.text or part.url)
        case Panel():
            inner = shown(part.part)
            return f"## {_line(part.title)}\n\n{inner}" if part.title else inner


def table(columns: Sequence[str], rows: Sequence[Row]) -> str:
    width = max([len(columns), *map(len, rows)], default=0)
    if not width:
        return ""
    header = [_line(name) for name in columns] + [""] * (width - len(columns))
    lines = [header, ["---"] * width, *([_line(text(cell)) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join([*line, *[""] * (width - len(line))]) + " |" for line in lines)


def text(cell: Cell) -> str:
    """A cell as a reader sees it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:.15g}" if isinstance(cell, float) else str(cell)


def metric_text(part: Metric) -> str:
    change = "" if part.change is None else f" ({part.change:+.15g})"
    return f"{text(part.value)} {part.unit}".strip() + change


def _metric(part: Metric) -> str:
    return _with_caption(f"**{_line(metric_text(part))}**", part.caption)


def _chart(part: Chart) -> str:
    found = chart_data(part.spec)
    rows = table(found.columns, found.rows) if found else ""
    return "\n\n".join(filter(None, (_line(part.alt), rows, _line(part.caption))))


def _figure(part: Figure) -> str:
    where = link(part.url, part.alt) if part.url else _line(part.alt)
    return _with_caption(where, part.caption)


def _with_caption(said: str, caption: str) -> str:
    return f"{said}\n\n{_line(caption)}" if caption else said


def _line(said: str) -> str:
    return escaped(_SPACES.sub(" ", said).strip())


def missing_image(alt: str, reason: str | None) -> str:
    """What stands in the place of a picture; `reason` ends a sentence, None: pictures were not asked for."""
    return alt if reason is None else f"{alt} (this picture is not shown: {reason})"
