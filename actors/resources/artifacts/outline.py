"""A content as a list of parts that every format can show: headings, texts, tables, charts, figures, metrics. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from actors import limits
from actors.errors import TooLarge
from actors.resources.artifacts.artifact import ArtifactType
from actors.resources.blocks import markdown

Cell = str | int | float | bool | None
Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class DataSet:
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


DataSets = Mapping[str, DataSet]
NO_DATA: Final[DataSets] = {}


@dataclass(frozen=True, slots=True)
class Place:
    """Of a panel in the grid of a dashboard."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    """2 or 3; the title of the artifact is 1."""
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    markdown: str


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    """Empty: none has a name."""
    rows: tuple[Row, ...]
    caption: str = ""
    name: str = ""
    """For a file of its own."""


@dataclass(frozen=True, slots=True)
class Chart:
    spec: Mapping[str, Any]
    """Vega-Lite, with its data."""
    caption: str = ""
    alt: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    alt: str
    caption: str = ""
    url: str = ""
    file_id: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    value: Cell
    unit: str = ""
    change: float | None = None
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a dashboard, and where it stands."""

    title: str
    part: "Part"
    place: Place | None


Part = Heading | Text | Table | Chart | Figure | Metric | Link | Panel
Parts = Iterator[Part]


def outline(kind: ArtifactType, content: Any, data: DataSets = NO_DATA) -> tuple[Part, ...]:
    """Lenient: what is missing in a content is left out. `data`: the artifact's data sets by name. Raises `TooLarge`
    where tables and charts together have more than `limits.EXPORT_CELLS` cells."""
    if isinstance(content, str):
        return (Text(content),)
    return tuple(_bounded(chain(_OF_TYPE[kind](content, data), _blocks(content))))


def _bounded(parts: Parts) -> Parts:
    cells = 0
    for part in parts:
        cells += _cells_of(_inside(part))
        if cells > limits.EXPORT_CELLS:
            raise TooLarge("The tables and charts of an artifact, shown in full,", limits.EXPORT_CELLS, None, "cells")
        yield part


def _cells_of(part: Part) -> int:
    if isinstance(part, Table):
        return sum(len(row) or 1 for row in part.rows)
    if isinstance(part, Chart):
        values = _values(part.spec)
        return len(values) * len({name for value in values for name in value})
    return 0


def tables(parts: Sequence[Part]) -> Iterator[Table]:
    """Tables, and the data of charts, each with a name."""
    for number, part in enumerate(map(_inside, parts), 1):
        if isinstance(part, Table):
            yield Table(part.columns, part.rows, part.caption, part.name or f"table-{number}")
        elif isinstance(part, Chart) and (found := chart_data(part.spec)) is not None:
            yield Table(found.columns, found.rows, part.caption, part.name or f"chart-{number}")


def charts(parts: Sequence[Part]) -> Iterator[Chart]:
    return (part for part in map(_inside, parts) if isinstance(part, Chart))


def _inside(part: Part) -> Part:
    return part.part if isinstance(part, Panel) else part


def chart_data(spec: Mapping[str, Any]) -> DataSet | None:
    """The values that stand in a chart, as a table."""
    rows = _values(spec)
    if not rows:
        return None
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    return DataSet(columns, tuple(tuple(_cell(row.get(name)) for name in columns) for row in rows))


def _values(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    source = spec.get("data")
    values = source.get("values") if isinstance(source, dict) else None
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _cell(value: Any) -> Cell:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


# Of each type


def _insight(content: dict[str, Any], _: DataSets) -> Parts:
    yield Text(content.get("summary", ""))
    if (confidence := content.get("confidence")) is not None:
        yield Metric(round(confidence * 100), "%", caption="Confidence")
    for finding in content.get("findings") or ():
        yield Heading(2, finding.get("title") or "Finding")
        yield Text(finding.get("text", ""))
        for evidence in finding.get("evidence") or ():
            yield from _evidence(evidence)
    if recommendations := content.get("recommendations"):
        yield Heading(2, "Recommendations")
        for one in recommendations:
            title = f"**{one['title']}**: " if one.get("title") else ""
            priority = f" ({one['priority']})" if one.get("priority") else ""
            yield Text(f"- {title}{one.get('text', '')}{priority}")


def _evidence(evidence: dict[str, Any]) -> Parts:
    if evidence.get("url"):
        yield Link(evidence["url"], evidence.get("text") or "")
    elif evidence.get("text"):
        yield Text("> " + evidence["text"].replace("\n", "\n> "))


def _report(content: dict[str, Any], data: DataSets) -> Parts:
    if authors := content.get("authors"):
        yield Text(", ".join(authors))
    if content.get("abstract"):
        yield Text(content["abstract"])
    for section in content.get("sections") or ():
        if section.get("title"):
            yield Heading(2, section["title"])
        yield from _shown(section, data)


def _dashboard(content: dict[str, Any], data: DataSets) -> Parts:
    for panel in content.get("panels") or ():
        grid = panel.get("grid")
        place = Place(grid["x"], grid["y"], grid["w"], grid["h"]) if grid else None
        for part in _shown(panel, data):
            yield Panel(panel.get("title") or "", part, place)


def _pdf(content: dict[str, Any], data: DataSets) -> Parts:
    if content.get("file_id"):
        yield Figure("A PDF", file_id=content["file_id"])
    yield from _report(content, data)


def _reference(content: dict[str, Any], _: DataSets) -> Parts:
    if content.get("citation"):
        yield Text(content["citation"])
    if content.get("url"):
        yield Link(content["url"])
    if content.get("excerpt"):
        yield Text("> " + content["excerpt"].replace("\n", "\n> "))
    source = content.get("source") or {}
    if rows := [(name, ", ".join(value) if isinstance(value, list) else value) for name, value in source.items()]:
        yield Table(("source", ""), tuple(rows), name="source")
    if content.get("note"):
        yield Text(content["note"])


def _blocks(content: dict[str, Any]) -> Parts:
    """What they say; nothing can be pressed in a file."""
    for text in markdown.pieces(content.get("blocks")):
        yield Text(text)


def _shown(part: dict[str, Any], data: DataSets) -> Parts:
    found = data.get(part.get("data_set") or "")
    name, caption = part.get("id") or "", part.get("caption") or ""
    match part.get("type"):
        case "markdown" | "text":
            yield Text(part.get("text", ""))
        case "table":
            yield _table(part, found, name, caption)
        case "chart":
            yield Chart(_with_data(part["spec"], found), caption, part.get("alt_text") or "", name)
        case "figure":
            yield Figure(part["alt_text"], caption, part.get("image_url") or "", part.get("file_id") or "")
        case "metric":
            yield Metric(_value(part, found), part.get("unit") or "", part.get("change"), caption)


def _table(part: dict[str, Any], found: DataSet | None, name: str, caption: str) -> Table:
    if found is None:
        return Table(tuple(part.get("columns") or ()), tuple(map(tuple, part.get("rows") or ())), caption, name)
    wanted = [name for name in part.get("columns") or found.columns if name in found.columns]
    places = [found.columns.index(name) for name in wanted]
    return Table(tuple(wanted), tuple(tuple(row[place] for place in places) for row in found.rows), caption, name)


def _with_data(spec: Mapping[str, Any], found: DataSet | None) -> Mapping[str, Any]:
    if found is None:
        return spec
    return {**spec, "data": {"values": [dict(zip(found.columns, row, strict=True)) for row in found.rows]}}


def _value(part: dict[str, Any], found: DataSet | None) -> Cell:
    """A metric shows the last row's value of its field, or of the last column."""
    if found is None or not found.rows:
        value: Cell = part.get("value")
        return value
    field = part.get("field")
    place = found.columns.index(field) if field in found.columns else len(found.columns) - 1
    return found.rows[-1][place]


_OF_TYPE: Final[Mapping[ArtifactType, Callable[[dict[str, Any], DataSets], Parts]]] = {
    "INSIGHT": _insight, "REPORT": _report, "DASHBOARD": _dashboard, "PDF": _pdf, "REFERENCE": _reference,
}  # fmt: skip
