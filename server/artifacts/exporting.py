"""A version of an artifact in a format to download. Pure, but for the Markdown parser."""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import orjson

from actors.errors import Conflict
from actors.resources.artifacts import markdown, tables_csv
from actors.resources.artifacts.artifact import Artifact, Version
from actors.resources.artifacts.outline import DataSets, Part, outline, tables
from server.api import render
from server.artifacts.page import page
from server.resources.artifacts import rendering

Format = Literal["json", "csv", "markdown", "html"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)


@dataclass(frozen=True, slots=True)
class Exported:
    name: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Source:
    """What is exported: a version, with the data sets that its parts show."""

    artifact: Artifact
    version: Version
    data: DataSets

    @property
    def content(self) -> Any:
        return orjson.loads(self.version.content or '""')

    @property
    def parts(self) -> tuple[Part, ...]:
        return outline(self.artifact.type, self.content, self.data)

    @property
    def about(self) -> str:
        day = render.iso_time(self.version.created_at)[:10]
        return f"{self.artifact.type.title()}, version {self.version.number}, {day}, {self.version.author.name}"


def exported(source: Source, form: Format) -> Exported:
    """Raises `Conflict` where the format shows no part of it. Takes up to some seconds: not for the event loop."""
    return _MAKERS[form](source)


def html_page(source: Source) -> str:
    content = source.content
    columns = content.get("columns") if isinstance(content, dict) else None
    return page(source.version.title, source.parts, source.about, columns=columns if isinstance(columns, int) else 12)


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
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in zip(tables_csv.file_names(found), found, strict=True):
            archive.writestr(zipfile.ZipInfo(name), tables_csv.encoded(table), zipfile.ZIP_DEFLATED)
    return Exported(f"{source.version.title}.zip", "application/zip", out.getvalue())


def _markdown(source: Source) -> Exported:
    text = markdown.document(source.version.title, source.parts)
    return Exported(f"{source.version.title}.md", "text/markdown; charset=utf-8", text.encode())


def _html(source: Source) -> Exported:
    return Exported(f"{source.version.title}.html", "text/html; charset=utf-8", html_page(source).encode())


_MAKERS: Final[Mapping[Format, Callable[[Source], Exported]]] = {
    "json": _json, "csv": _csv, "markdown": _markdown, "html": _html,
}  # fmt: skip
