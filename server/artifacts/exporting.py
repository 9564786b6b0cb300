"""A version of an artifact as text: JSON, CSV, Markdown, HTML. Pure, but for the Markdown parser.

Charts as pictures, and PDF: `printing.py`.
"""

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import orjson

from actors.errors import Conflict
from actors.resources.artifacts import markdown, tables_csv
from actors.resources.artifacts.artifact import Artifact, Version
from actors.resources.artifacts.outline import DataSets, Part, outline, tables
from server.api import render
from server.artifacts.images import Images
from server.artifacts.page import NO_PICTURES, Pictures, page
from server.exports.exported import Exported
from server.resources.artifacts import rendering

TextFormat = Literal["json", "csv", "markdown", "html"]
TEXT_FORMATS: Final[tuple[TextFormat, ...]] = get_args(TextFormat)
File = tuple[str, bytes]
"""A name and its bytes."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is exported: a version, with the data sets that its parts show."""

    artifact: Artifact
    version: Version
    data: DataSets
    source: "Source | None" = None
    """What a PDF is generated from."""
    images: Images = field(default_factory=dict)
    """What its figures show; see `figures.py`."""

    @property
    def content(self) -> Any:
        return orjson.loads(self.version.content or '""')

    @property
    def parts(self) -> tuple[Part, ...]:
        if self.source is not None:
            return self.source.parts
        return outline(self.artifact.type, self.content, self.data)

    @property
    def threads(self) -> tuple[str, ...]:
        """In which it stands, and what it is generated from."""
        return (self.artifact.thread_id, *(self.source.threads if self.source is not None else ()))

    @property
    def columns(self) -> int:
        """Of the grid of a dashboard."""
        if self.source is not None:
            return self.source.columns
        columns = self.content.get("columns") if isinstance(self.content, dict) else None
        return columns if isinstance(columns, int) else 12

    @property
    def about(self) -> str:
        day = render.iso_time(self.version.created_at)[:10]
        return f"{self.artifact.type.title()}, version {self.version.number}, {day}, {self.version.author.name}"


def exported(source: Source, form: TextFormat) -> Exported:
    """Raises `Conflict` where the format shows no part of it. Takes up to some seconds: not for the event loop."""
    return _MAKERS[form](source)


def html_page(source: Source, pictures: Pictures = NO_PICTURES) -> str:
    return page(source.version.title, source.parts, source.about, pictures, source.columns, source.images)


def zipped(files: Iterable[File]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files:
            archive.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _json(source: Source) -> Exported:
    shown = {
        "id": source.artifact.id,
        "type": source.artifact.type,
        **rendering.version(source.version),
        "data": {name: {"columns": data.columns, "rows": data.rows} for name, data in source.data.items()},
    }
    body = orjson.dumps(shown, option=orjson.OPT_INDENT_2)
    return Exported(f"{source.version.title}.json", "application/json", body)


def _csv(source: Source) -> Exported:
    """One table alone; several as an archive."""
    found = list(tables(source.parts))
    if not found:
        raise Conflict("The artifact has no table and no chart with data of its own.", code="nothing_to_export")
    if len(found) == 1:
        return Exported(f"{source.version.title}.csv", "text/csv; charset=utf-8", tables_csv.encoded(found[0]))
    names = tables_csv.file_names((table.name for table in found), "csv")
    body = zipped(zip(names, map(tables_csv.encoded, found), strict=True))
    return Exported(f"{source.version.title}.zip", "application/zip", body)


def _markdown(source: Source) -> Exported:
    text = markdown.document(source.version.title, source.parts)
    return Exported(f"{source.version.title}.md", "text/markdown; charset=utf-8", text.encode())


def _html(source: Source) -> Exported:
    return Exported(f"{source.version.title}.html", "text/html; charset=utf-8", html_page(source).encode())


_MAKERS: Final[Mapping[TextFormat, Callable[[Source], Exported]]] = {
    "json": _json, "csv": _csv, "markdown": _markdown, "html": _html,
}  # fmt: skip
