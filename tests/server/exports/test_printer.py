"""Charts and documents by real workers: what is drawn, and what hostile charts get."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from actors.errors import Conflict, StorageFull, Unavailable
from actors.resources.artifacts.outline import Chart
from server.exports.document import Document
from server.exports.printer import Printer
from server.previews.limits import MIB, WorkerLimits
from tests.server.exports.reading import pages_of
from tests.small_disk import fill, make_room, small_disk

VALUES = [{"month": "Jan", "sum": 3}, {"month": "Feb", "sum": 7}]
BARS: dict[str, Any] = {
    "mark": "bar", "data": {"values": VALUES}, "width": 200, "height": 100,
    "encoding": {"x": {"field": "month", "type": "ordinal"}, "y": {"field": "sum", "type": "quantitative"}},
}  # fmt: skip


@pytest.fixture
async def printer() -> AsyncIterator[Printer]:
    made = Printer()
    yield made
    await made.close()


async def test_a_chart_as_svg_and_png_and_in_a_pdf(printer: Printer) -> None:
    svg = await printer.chart(BARS, "svg")
    assert svg.startswith(b"<svg")
    assert svg.count(b'aria-roledescription="bar"') == 2
    assert (await printer.chart(BARS, "png")).startswith(b"\x89PNG\r\n\x1a\n")
    steps: list[tuple[int, int]] = []
    parts = (Chart(BARS, caption="Sales"), Chart({"mark": "no such mark", "data": {"values": VALUES}}, "Broken"))
    made = await printer.pdf(Document("A title", parts), lambda done, steps_: steps.append((done, steps_)))
    (page,) = pages_of(made.body)
    assert (made.pages, made.undrawn, made.missing_scripts) == (1, 1, None)
    assert "Sales" in page
    assert "month sum\nJan 3" in page.replace(" \n", "\n"), "the data of a chart that cannot be drawn"
    assert steps == [(0, 3), (1, 3), (2, 3)]


async def test_a_full_folder_for_temporary_files_is_told(
    printer: Printer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "small", 64 * 1024) as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        fill(folder)
        with pytest.raises(StorageFull, match="no space for temporary files"):
            await printer.chart(BARS, "svg")
        make_room(folder)
        assert (await printer.chart(BARS, "svg")).startswith(b"<svg")
        assert not list(folder.iterdir())


async def test_a_folder_for_temporary_files_that_is_away_is_told(
    printer: Printer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "away"))
    with pytest.raises(Unavailable, match="cannot write temporary files"):
        await printer.chart(BARS, "svg")


async def test_a_chart_loads_nothing(printer: Printer) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        for address in (f"http://127.0.0.1:{port}/data.json", "file:///etc/passwd", "/etc/passwd"):
            with pytest.raises(Conflict, match="would load something"):
                await printer.chart({**BARS, "data": {"url": address}}, "svg")
            image = {"mark": {"type": "image", "url": address, "width": 9, "height": 9}, "data": {"values": VALUES}}
            with pytest.raises(Conflict, match="would load something"):
                await printer.chart(image, "svg")
        link = {**BARS, "encoding": {**BARS["encoding"], "href": {"value": "javascript:alert(1)"}}}
        with pytest.raises(Conflict, match="would load something"):
            await printer.chart(link, "svg")
    finally:
        server.close()
        await server.wait_closed()
    assert asked == []
    named = {**BARS, "data": {"values": [{**value, "url": "https://example.com"} for value in VALUES]}}
    assert (await printer.chart(named, "svg")).count(b'aria-roledescription="bar"') == 2, "a field may have any name"


GREEDY: list[dict[str, Any]] = [
    {"mark": "point", "data": {"sequence": {"start": 0, "stop": 1e9}}, "encoding": {"x": {"field": "data"}}},
    {**BARS, "transform": [{"calculate": "while(true){}", "as": "x"}]},
]  # fmt: skip


async def test_greedy_charts_are_refused_or_bounded() -> None:
    """Whatever becomes of them, the next chart is drawn."""
    small = WorkerLimits(memory=1024 * MIB, counts_mapped=False, cpu_seconds=2, seconds=20)
    printer = Printer(bounds=small)
    try:
        outcomes = [await outcome(printer, spec) for spec in GREEDY]
        assert outcomes == ["export_failed"] * 2
        assert (await printer.chart(BARS, "svg")).startswith(b"<svg")
    finally:
        await printer.close()


async def outcome(printer: Printer, spec: dict[str, Any]) -> str:
    try:
        assert len(await printer.chart(spec, "png")) < 64 * MIB
    except Conflict as refusal:
        return refusal.code
    return "drawn"


async def test_a_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.exports.worker.kinds.EXTRA", ("no_such_package",))
    printer = Printer()
    for asking in (printer.chart(BARS, "svg"), printer.pdf(Document("x", ()))):
        with pytest.raises(Conflict, match=r"need the extra `pdf` on the server \(pip install .*no_such_package\.$"):
            await asking
    await printer.close()
