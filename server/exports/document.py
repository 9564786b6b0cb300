"""A document for a worker to set: parts of an artifact, or messages of a thread, as plain data. Pure.

The worker imports neither actors nor the server, so what it gets is JSON.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from actors import limits
from actors.resources.artifacts import markdown
from actors.resources.artifacts.outline import (
    Cell,
    Chart,
    Figure,
    Heading,
    Link,
    Metric,
    Panel,
    Part,
    Table,
    Text,
    chart_data,
)
from actors.text.markdown_cost import cells, is_quick
from server.artifacts.images import Image, Images
from server.artifacts.page import pieces

Node = dict[str, Any]
Pictures = Mapping[int, Path]
"""The place of a chart among all charts → its SVG."""
NO_PICTURES: Final[Pictures] = {}
ImagePaths = Mapping[str, Path]
"""File → where the worker reads its picture."""
NO_PATHS: Final[ImagePaths] = {}
_SHOWN: Final = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    parts: Sequence[Part]
    about: str = ""
    authors: Sequence[str] = ()
    made_at: int = 0
    """Milliseconds: the date in the file, so that the same version makes the same bytes."""
    columns: int = 12
    """Of the grid of a dashboard."""
    images: Images = field(default_factory=dict)
    """Of its figures."""

    @property
    def charts(self) -> tuple[Chart, ...]:
        inside = (part.part if isinstance(part, Panel) else part for part in self.parts)
        return tuple(part for part in inside if isinstance(part, Chart))


def as_json(document: Document, pictures: Pictures = NO_PICTURES, images: ImagePaths = NO_PATHS) -> Node:
    """Without the fonts."""
    maker = _Maker(pictures, document.images, images)
    panels = [part for part in document.parts if isinstance(part, Panel)]
    return {
        "title": document.title,
        "about": document.about,
        "authors": list(document.authors),
        "made_at": document.made_at // 1000,
        "columns": document.columns,
        "landscape": bool(panels),
        "parts": [node for part in document.parts if not isinstance(part, Panel) for node in maker.of(part)],
        "panels": [maker.panel(panel) for panel in panels],
    }


class _Maker:
    """Counts charts, by which their pictures are found, and the cells of tables, which are bounded."""

    def __init__(self, pictures: Pictures, images: Images, paths: ImagePaths) -> None:
        self._pictures = pictures
        self._images, self._paths = images, paths
        self._charts = 0
        self._cells = limits.PDF_CELLS

    def of(self, part: Part) -> Iterator[Node]:
        match part:
            case Heading():
                yield {"kind": "heading", "level": part.level, "text": part.text}
            case Text():
                yield {"kind": "text", "pieces": [(piece, _how(piece)) for piece in pieces(part.markdown)]}
            case Table():
                yield self._table(part)
            case Chart():
                yield from self._chart(part)
            case Figure():
                yield self._figure(part)
            case Metric():
                yield {"kind": "metric", "text": markdown.metric_text(part), "caption": part.caption}
            case Link():
                yield _link(part.url, part.text or part.url)

    def panel(self, panel: Panel) -> Node:
        nodes = list(self.of(panel.part))
        place = panel.place
        grid = None if place is None else {"x": place.x, "y": place.y, "w": place.w, "h": place.h}
        return {"title": panel.title, "grid": grid, "part": nodes[0] if nodes else {"kind": "text", "pieces": []}}

    def _figure(self, part: Figure) -> Node:
        image, path = self._images.get(part.file_id), self._paths.get(part.file_id)
        if isinstance(image, Image) and path is not None:
            size = {"width": image.width, "height": image.height}
            return {"kind": "picture", "path": str(path), "alt": part.alt, "caption": part.caption, **size}
        reason = "the file cannot be read as a picture" if isinstance(image, Image) else image
        shown = {"kind": "note", "text": markdown.missing_image(part.alt, reason)}
        return {**(_link(part.url, part.alt or part.url) if part.url else shown), "caption": part.caption}

    def _table(self, part: Table) -> Node:
        width = max(len(part.columns), *map(len, part.rows), 1) if part.rows else max(len(part.columns), 1)
        shown = part.rows[: max(0, min(limits.PDF_ROWS, self._cells // width))]
        self._cells -= len(shown) * width
        return {
            "kind": "table",
            "columns": list(part.columns),
            "rows": [list(map(_cell, row)) for row in shown],
            "left_out": len(part.rows) - len(shown),
            "caption": part.caption,
        }

    def _chart(self, part: Chart) -> Iterator[Node]:
        number, self._charts = self._charts, self._charts + 1
        path = self._pictures.get(number)
        if path is not None:
            yield {"kind": "picture", "path": str(path), "alt": part.alt or "Chart", "caption": part.caption}
            return
        found = chart_data(part.spec)
        if found:
            yield self._table(Table(found.columns, found.rows, part.caption or part.alt))
        else:
            yield {"kind": "note", "text": part.alt or "A chart that cannot be drawn.", "caption": part.caption}


def _link(url: str, text: str) -> Node:
    if not url.startswith(_SHOWN):
        return {"kind": "note", "text": text, "caption": ""}
    return {"kind": "link", "url": url, "text": text, "caption": ""}


def _cell(cell: Cell) -> str | Node:
    shown = markdown.text(cell)
    return {"n": shown} if isinstance(cell, int | float) and not isinstance(cell, bool) else shown


def _how(text: str) -> str:
    """How the worker may read a piece of Markdown; what would take long is shown as it was written."""
    if not is_quick(text):
        return "plain"
    return "markdown" if cells(text) <= limits.MARKDOWN_CELLS else "without_tables"
