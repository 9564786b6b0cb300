"""Documents as PDF: what stands in them, what hostile authors get out of them, and which scripts are missing."""

from pathlib import Path
from typing import Any

import matplotlib
import orjson
import pytest

from actors import limits
from actors.resources.artifacts.outline import Part, Text, outline
from server.exports.document import Document, as_json
from server.exports.worker import coverage, documents
from server.exports.worker.layout import placed, table
from server.previews.job import Job
from server.previews.preview import Preview
from tests.server.exports.reading import pages_of

DEJAVU = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
"""Latin, Arabic, and no Han."""
FOUR_SCRIPTS = "销售额上升 ارتفعت المبيعات बिक्री बढ़ी 📈"


@pytest.fixture
def made(tmp_path: Path) -> Any:
    def make(*parts: Part, fonts: Path | None = None, **more: Any) -> tuple[Preview, bytes]:
        asked = as_json(Document("A title", parts, **more))
        source, into = tmp_path / "asked.json", tmp_path / "into"
        into.mkdir(exist_ok=True)
        source.write_bytes(
            orjson.dumps({**asked, "fonts": str(fonts) if fonts is not None else None, "system_fonts": False})
        )
        preview = documents.make(Job(source, "document", into))
        return preview, preview.outputs[0].path.read_bytes()

    return make


def report(*sections: dict[str, Any]) -> tuple[Part, ...]:
    return outline("REPORT", {"sections": list(sections)})


def test_a_report_has_contents_numbers_and_all_its_parts(made: Any) -> None:
    text = "# Inner\n\nSome **bold** text, `code`, [a link](https://example.com).\n\n- one\n\n> said\n\n|a|\n|-|\n|1|"
    preview, body = made(
        *report(
            {"type": "markdown", "title": "First", "text": text},
            {"type": "table", "title": "Second", "columns": ["month", "sum"],
             "rows": [[f"row {n}", n] for n in range(100)], "caption": "By month"},
            {"type": "figure", "title": "Third", "image_url": "https://example.com/a.png", "alt_text": "A photo"},
        ),
        about="Report, version 2", made_at=1_790_000_000_000,
    )  # fmt: skip
    pages = pages_of(body)
    assert preview.metadata == {"pages": len(pages)}
    assert len(pages) >= 3
    for said in (
        "A title",
        "Report, version 2",
        "Contents",
        "Some bold text, code, a link.",
        "• one",
        f"1 / {len(pages)}",
    ):
        assert said in pages[0], said
    assert all(f"{number} / {len(pages)}" in page for number, page in enumerate(pages, 1))
    assert sum("month sum" in page for page in pages) >= 2, "the head of a table is on each of its pages"
    assert "row 99 99" in pages[-1]
    assert "A photo" in pages[-1]
    assert b"https://example.com/a.png" in body


MARKUP = (
    '#panic("no")', '#import "/etc/passwd": x', "$ x^2 $", "*a* _b_ @ref <label>", '#read("/etc/passwd")',
    "\\ \\u{41} //", '#include "document.json"', "] ) } #let doc = 1", '"; #sys.inputs', "= Heading\n== Another",
)  # fmt: skip


@pytest.mark.parametrize("markup", MARKUP)
def test_what_looks_like_typst_is_only_text(made: Any, markup: str) -> None:
    line = markup.replace("\n", " ")
    _preview, body = made(
        *report(
            {"type": "table", "title": line, "columns": [line], "rows": [[line]], "caption": line},
            {"type": "figure", "file_id": "c" * 25, "alt_text": line},
            {"type": "markdown", "text": f"```\n{markup}\n```"},
        ),
        authors=(markup,), about=line,
    )  # fmt: skip
    (page,) = pages_of(body)
    squeezed = "".join(page.split())
    assert squeezed.count("".join(markup.split())) == 7, page
    assert "root:" not in page


def test_markdown_is_bounded_and_what_is_slow_is_shown_as_written(made: Any) -> None:
    slow = "\n\n".join(["[" * 2_000, "|" * 3_000 + "\n" + "-|" * 1_500, "*a " * 3_000])
    _preview, body = made(Text(slow), Text("[x](javascript:alert(1)) <script>alert(1)</script>"))
    assert b"javascript:" not in body
    assert "[[[[" in pages_of(body)[0]
    assert "<script>alert(1)</script>" in pages_of(body)[-1]


def test_large_tables_are_cut_and_say_so(made: Any) -> None:
    rows = [[n, "x"] for n in range(limits.PDF_ROWS + 5)]
    _, body = made(*outline("REPORT", {"sections": [{"type": "table", "columns": ["n", "x"], "rows": rows}]}))
    assert "5 more rows are not shown" in pages_of(body)[-1]
    parts = report(*[{"type": "table", "rows": [[1] * 50] * 1500}] * 3)
    cells = [len(part["rows"]) * 50 for part in as_json(Document("x", parts))["parts"]]
    assert cells == [limits.PDF_CELLS, 0, 0]


def test_a_wide_table_with_long_words_stays_on_the_paper(made: Any) -> None:
    wide = {"type": "table", "columns": [f"column{n}" for n in range(50)], "rows": [["x" * 300] * 50]}
    _, body = made(*report(wide))
    assert pages_of(body)
    assert table(["abcdefgh"], [["x" * 100]], 0)["rows"] == [["x" * 70 + "\u200b" + "x" * 30]]


def test_a_dashboard_is_a_grid_of_panels_whatever_their_places_are(made: Any) -> None:
    def at(x: int, y: int, w: int, h: int) -> dict[str, int]:
        return {"x": x, "y": y, "w": w, "h": h}

    panels = [
        {"type": "metric", "title": "Users", "value": 12, "unit": "k", "grid": at(0, 0, 2, 1)},
        {"type": "text", "title": "Note", "text": "Some *text*.", "grid": at(2, 500, 2, 3)},
        {"type": "text", "title": "On top of it", "text": "Below.", "grid": at(1, 0, 2, 1)},
        {"type": "table", "title": "Nowhere", "columns": ["a"], "rows": [[1]]},
    ]
    parts = outline("DASHBOARD", {"columns": 4, "panels": panels})
    _, body = made(*parts, columns=4)
    (page,) = pages_of(body)
    for said in ("Users", "12 k", "Some text.", "On top of it", "Nowhere"):
        assert said in page
    found = placed(as_json(Document("x", parts, columns=4))["panels"], 4)
    assert [(each["x"], each["y"], each["w"], each["h"]) for each in found] == [
        (0, 0, 2, 1), (2, 2, 2, 1), (0, 3, 4, 1), (0, 4, 4, 1),
    ]  # fmt: skip


def test_the_same_version_makes_the_same_bytes(made: Any) -> None:
    assert made(Text("Hello"), made_at=1_790_000_000_000)[1] == made(Text("Hello"), made_at=1_790_000_000_000)[1]


def test_missing_scripts_are_named(made: Any) -> None:
    preview, _ = made(Text(f"{FOUR_SCRIPTS} Αθήνα Москва → ≤ naïve"))
    assert preview.metadata["missing_scripts"] == "Arabic, Devanagari, Han, Emoji"
    preview, _body = made(Text(FOUR_SCRIPTS), fonts=DEJAVU)
    assert preview.metadata["missing_scripts"] == "Devanagari, Han, Emoji"
    assert "missing_scripts" not in made(Text("Plain."))[0].metadata


def test_characters_of_a_font(tmp_path: Path) -> None:
    found = coverage.of_font(DEJAVU / "DejaVuSans.ttf")
    assert [coverage.has(found, code) for code in (0x41, 0x627, 0x4E2D, 0x1F600)] == [True, True, False, True]
    whole = (DEJAVU / "DejaVuSans.ttf").read_bytes()
    damaged = tmp_path / "damaged.ttf"
    for body in (b"", b"ttcf", whole[:200], b"ttcf" + b"\xff" * 400, bytes(12) + whole[12:]):
        damaged.write_bytes(body)
        assert not coverage.has(coverage.of_font(damaged), 0x4E2D)
    collection = tmp_path / "two.ttc"
    offset = 12 + 4
    moved = bytearray(whole)
    for number in range(int.from_bytes(whole[4:6])):
        at = 12 + 16 * number + 8
        moved[at : at + 4] = (int.from_bytes(whole[at : at + 4]) + offset).to_bytes(4)
    collection.write_bytes(b"ttcf\x00\x01\x00\x00" + (1).to_bytes(4) + offset.to_bytes(4) + bytes(moved))
    assert coverage.of_font(collection) == found
