"""A version of an artifact with its charts drawn: SVG and PNG, HTML, PDF. Workers do it; text formats need none."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, Literal, Protocol, TypeVar, get_args

from actors.errors import Conflict, NotFound
from actors.resources.artifacts.outline import Chart, charts
from actors.resources.artifacts.tables_csv import file_names
from server.artifacts.exporting import Source, exported, html_page, zipped
from server.exports.document import Document
from server.exports.exported import Exported
from server.exports.printer import OnProgress, Printer, no_progress
from server.exports.worker.kinds import OUTPUTS, missing_extra

Format = Literal["json", "csv", "markdown", "html", "pdf", "svg", "png"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
SHORT_NAMES: Final[Mapping[str, Format]] = {"md": "markdown"}
_Drawing = Literal["svg", "png"]
_T = TypeVar("_T")


class Compute(Protocol):
    """Runs a function beside the event loop."""

    async def __call__(self, function: Callable[[], _T], /) -> _T: ...


async def alone(function: Callable[[], _T], /) -> _T:
    """In a process that nobody shares."""
    return function()


async def printed(
    printer: Printer, source: Source, form: Format, chart: str | None = None, on_progress: OnProgress = no_progress,
    *, compute: Compute = alone,
) -> Exported:  # fmt: skip
    """`chart`: the id of the one to draw, or its number among all; for SVG and PNG.

    Raises `Conflict` where the format shows no part of it or cannot be made, `NotFound` for an unknown chart, and
    `Unavailable`.
    """
    return replace(await _printed(printer, source, form, chart, on_progress, compute), threads=source.threads)


async def _printed(
    printer: Printer, source: Source, form: Format, chart: str | None, on_progress: OnProgress, compute: Compute
) -> Exported:  # fmt: skip
    match form:
        case "pdf":
            return await _pdf(printer, source, on_progress, compute)
        case "svg" | "png":
            return await _drawn(printer, source, form, chart, on_progress, compute)
        case "html" if missing_extra() is None:
            return await _html(printer, source, on_progress, compute)
    return await compute(partial(exported, source, form))


def document_of(source: Source) -> Document:
    authors = source.content.get("authors") if isinstance(source.content, dict) else None
    return Document(
        source.version.title, source.parts, source.about, authors or (source.version.author.name,),
        source.version.created_at, source.columns, source.images,
    )  # fmt: skip


async def _pdf(printer: Printer, source: Source, on_progress: OnProgress, compute: Compute) -> Exported:
    content = source.content
    if source.artifact.type == "PDF" and isinstance(content, dict) and content.get("file_id"):
        where = f"/api/v1/files/{content['file_id']}/content"
        raise Conflict(f"This PDF is a file already; download it at {where}.", code="nothing_to_export")
    made = await printer.pdf(await compute(partial(document_of, source)), on_progress)
    return Exported(
        f"{source.version.title}.pdf", OUTPUTS["pdf"], made.body, made.pages, made.missing_scripts, made.undrawn
    )  # fmt: skip


async def _html(printer: Printer, source: Source, on_progress: OnProgress, compute: Compute) -> Exported:
    document = await compute(partial(document_of, source))
    pictures = await printer.pictures(document, on_progress) if document.charts else {}
    text = await compute(partial(html_page, source, pictures))
    made = Exported(f"{source.version.title}.html", "text/html; charset=utf-8", text.encode())
    return replace(made, undrawn=len(document.charts) - len(pictures))


async def _drawn(
    printer: Printer, source: Source, form: _Drawing, chart: str | None, on_progress: OnProgress, compute: Compute
) -> Exported:  # fmt: skip
    """One chart alone; several as an archive."""
    found = _chosen(await compute(lambda: tuple(charts(source.parts))), chart)
    if not found:
        raise Conflict("The artifact has no chart.", code="nothing_to_export")
    bodies: list[bytes] = []
    for number, each in enumerate(found):
        on_progress(number, len(found))
        bodies.append(await printer.chart(each.spec, form))
    if len(bodies) == 1:
        return Exported(f"{source.version.title}.{form}", OUTPUTS[form], bodies[0])
    names = file_names((each.name or "chart" for each in found), form)
    body = await compute(partial(zipped, zip(names, bodies, strict=True)))
    return Exported(f"{source.version.title}.zip", "application/zip", body)


def _chosen(found: tuple[Chart, ...], chart: str | None) -> tuple[Chart, ...]:
    if chart is None:
        return found
    named = [each for each in found if each.name == chart]
    if not named and chart.isascii() and chart.isdigit() and len(chart) < 10 and 1 <= int(chart) <= len(found):
        named = [found[int(chart) - 1]]
    if not named:
        raise NotFound("chart", chart[:100])
    return (named[0],)
