"""Artifacts with their charts drawn: SVG, PNG, HTML and PDF over REST. What workers make of hostile input:
`tests/server/exports/`."""

import io
import zipfile
from typing import Any

import aiohttp
import pytest

from actors.errors import Unavailable
from tests.server.artifacts.test_exports import create, fetch
from tests.server.exports.reading import pages_of
from tests.server.quiet import nothing_breaks
from tests.serving import Client, Server

__all__ = ["nothing_breaks"]

BARS: dict[str, Any] = {
    "mark": "bar", "data": {"values": [{"a": "x", "b": 1}, {"a": "y", "b": 2}]},
    "encoding": {"x": {"field": "a", "type": "nominal"}, "y": {"field": "b", "type": "quantitative"}},
}  # fmt: skip
REPORT: Any = {
    "authors": ["Ana"],
    "sections": [
        {"type": "chart", "id": "sales", "title": "Sales", "spec": BARS, "caption": "By region"},
        {"type": "chart", "spec": {**BARS, "mark": "line"}},
        {"type": "markdown", "title": "Words", "text": "Some *text*."},
    ],
}


async def test_a_report_as_pdf_and_html_and_its_charts_as_pictures(alice: Client, bob: Client, thread: Any) -> None:
    url = f"{await create(alice, thread, REPORT)}/export"
    pdf = await bob.get(url, format="pdf")
    assert (pdf.status, pdf.headers["Content-Type"]) == (200, "application/pdf")
    assert "X-Missing-Scripts" not in pdf.headers
    (page,) = pages_of(pdf.raw)
    for said in ("Sales <b>", "Report, version 1", "Some text.", "By region"):
        assert said in page
    html = (await bob.get(url, format="html")).raw
    assert html.count(b'src="data:image/svg+xml;base64,') == 2
    svg = await bob.get(url, format="svg", chart="sales")
    assert (svg.headers["Content-Type"], svg.raw[:4]) == ("image/svg+xml", b"<svg")
    assert svg.headers["Content-Disposition"].startswith("attachment")
    both = await bob.get(url, format="png")
    with zipfile.ZipFile(io.BytesIO(both.raw)) as archive:
        assert archive.namelist() == ["sales.png", "chart.png"]
        assert archive.read("chart.png")[:4] == b"\x89PNG"
    assert (await bob.get(url, format="png", chart="2")).headers["Content-Type"] == "image/png"
    for none in ("3", "9" * 5_000):
        assert (await bob.get(url, format="svg", chart=none)).status == 404
    assert (await bob.get(url, format="md")).raw == (await bob.get(url, format="markdown")).raw


async def test_a_pdf_is_generated_from_its_sections_or_from_an_artifact(
    alice: Client, bob: Client, server: Server, thread: Any
) -> None:
    report = await create(alice, thread, {"sections": [{"type": "markdown", "text": "First words."}]})
    await alice.put(report, content="Second words.")
    origin = report.rpartition("/")[2]
    for content, said in (
        ({"sections": [{"type": "markdown", "text": "Own words."}]}, "Own words."),
        ({"artifact_id": origin}, "Second words."),
        ({"artifact_id": origin, "version": 1}, "First words."),
    ):
        url = await create(alice, thread, content, type="PDF", title="Printed")
        (page,) = pages_of((await bob.get(f"{url}/export", format="pdf")).raw)
        assert page.startswith("Printed")
        assert said in page
    elsewhere = await create(alice, await alice.thread(), "Secret.")
    hidden = await create(alice, thread, {"artifact_id": elsewhere.rpartition("/")[2]}, type="PDF")
    assert (await bob.get(f"{hidden}/export", format="pdf")).status == 404
    assert (await alice.get(f"{hidden}/export", format="pdf")).status == 200


async def test_what_no_pdf_is_made_of(alice: Client, thread: Any) -> None:
    circle = await create(alice, thread, {"sections": [{"type": "markdown", "text": "x"}]}, type="PDF")
    await alice.put(circle, content={"artifact_id": circle.rpartition("/")[2]})
    assert (await alice.get(f"{circle}/export", format="pdf")).error["code"] == "export_failed"
    text = await create(alice, thread, "Text.")
    none = await alice.get(f"{text}/export", format="svg")
    assert (none.status, none.error["code"]) == (409, "nothing_to_export")
    form = aiohttp.FormData({"thread_id": thread["id"]})
    form.add_field("file", b"%PDF-1.4\n%%EOF\n", filename="a.pdf", content_type="application/pdf")
    file = (await alice.request("POST", "/api/v1/files", data=form)).data
    of_file = await create(alice, thread, {"file_id": file["id"]}, type="PDF")
    refused = await alice.get(f"{of_file}/export", format="pdf")
    assert (refused.status, file["id"] in refused.error["detail"]) == (409, True)


async def test_what_takes_long_is_no_answer(alice: Client, thread: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"{await create(alice, thread, REPORT)}/export"
    monkeypatch.setattr("actors.limits.EXPORT_AT_ONCE_SECONDS", 0.0)
    late = await alice.get(url, format="pdf")
    assert (late.status, late.error["code"]) == (409, "export_takes_long")


async def test_without_the_extra(alice: Client, thread: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures and PDF are refused in one sentence; HTML shows data in place of charts."""
    url = f"{await create(alice, thread, REPORT)}/export"
    monkeypatch.setattr("server.exports.worker.kinds.EXTRA", ("no_such_package",))
    for form in ("pdf", "svg", "png"):
        refused = await alice.get(url, format=form)
        assert (refused.status, refused.error["code"]) == (409, "extra_missing")
        assert "experience-server[pdf]" in refused.error["detail"]
    assert b"<table>" in (await alice.get(url, format="html")).raw


async def test_scripts_that_no_font_has_are_named(server: Server, alice: Client, thread: Any) -> None:
    server.services.printer.system_fonts = False
    url = f"{await create(alice, thread, 'Sales rose: 销售额上升.')}/export"
    assert (await alice.get(url, format="pdf")).headers["X-Missing-Scripts"] == "Han"


async def test_a_link_shows_charts_as_pictures(
    server: Server, alice: Client, thread: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await create(alice, thread, {"sections": [{"type": "chart", "spec": BARS}]})
    share = (await alice.post(f"{url}/shares")).data
    pages = [(await fetch(server, share["url"]))[1]]
    monkeypatch.setattr(server.services.printer._workers, "preview", None)
    pages.append((await fetch(server, share["url"]))[1])  # drawn once, however often it is opened
    for page in pages:
        assert 'src="data:image/svg+xml;base64,' in page
        assert "<table>" not in page
    monkeypatch.setattr(server.services.printer, "pictures", _busy)
    assert "<table>" in (await fetch(server, share["url"]))[1]


async def _busy(*_: Any) -> Any:
    raise Unavailable("The chart cannot be made right now: too many wait; retry.")
