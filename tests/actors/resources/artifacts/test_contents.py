"""What the content of each type may be: every fault at once, with its pointer, limit and actual value."""

import json
from typing import Any

import pytest

from actors import limits
from actors.errors import TooLarge, ValidationFailed
from actors.resources.artifacts import contents
from actors.resources.artifacts.artifact import ArtifactType
from actors.resources.artifacts.comparing import compared

ID = "c" + "a" * 24
GOOD: tuple[tuple[ArtifactType, Any], ...] = (
    ("INSIGHT", {"summary": "Sales *rose*."}),
    ("INSIGHT", {
        "summary": "Sales rose.", "confidence": 0.9,
        "findings": [{"title": "North", "text": "+12 %", "confidence": 1, "evidence": [
            {"text": "The ledger says so.", "url": "https://example.com/ledger"}, {"message_id": ID}]}],
        "recommendations": [{"text": "Hire.", "priority": "high"}],
    }),
    ("REPORT", {"sections": []}),
    ("REPORT", {"abstract": "In short.", "authors": ["Ana"], "sections": [
        {"type": "markdown", "id": "intro", "title": "Intro", "text": "# Hello"},
        {"type": "table", "columns": ["a", "b"], "rows": [[1, "x"], [None, True]], "caption": "Two"},
        {"type": "table", "data_set": "sales"},
        {"type": "chart", "spec": {"mark": "bar", "data": {"values": [{"a": 1}]}}, "alt_text": "A bar"},
        {"type": "figure", "file_id": ID, "alt_text": "A photo"},
    ]}),
    ("DASHBOARD", {"columns": 4, "panels": [
        {"type": "metric", "value": 12.5, "unit": "%", "grid": {"x": 0, "y": 0, "w": 4, "h": 1}},
        {"type": "metric", "data_set": "sales", "field": "total"},
        {"type": "text", "text": ""}, {"type": "chart", "spec": {}, "data_set": "sales"},
        {"type": "table", "columns": ["a"], "rows": [[1]]},
    ]}),
    ("PDF", {"file_id": ID, "pages": 3}),
    ("PDF", {"sections": [{"type": "markdown", "text": "x"}]}),
    ("REFERENCE", {"url": "https://example.com", "source": {"title": "A paper", "doi": "10.1000/182"}}),
    ("REFERENCE", "See *there*."),
    ("DASHBOARD", ""),
)  # fmt: skip

BAD: tuple[tuple[ArtifactType, Any, str, str], ...] = (
    ("INSIGHT", {}, "", "required"),
    ("INSIGHT", {"summary": "x", "sumary": 1}, "/sumary", "unknown_field"),
    ("INSIGHT", {"summary": "x" * 12_001}, "/summary", "too_long"),
    ("INSIGHT", {"summary": "x", "confidence": 1.1}, "/confidence", "too_large"),
    ("INSIGHT", {"summary": "x", "findings": [{"text": "t", "evidence": [{}]}]}, "/findings/0/evidence/0", "required"),
    ("INSIGHT", {"summary": "a\x00"}, "/summary", "wrong_format"),
    ("REPORT", {"sections": [{"type": "video"}]}, "/sections/0/type", "unknown_type"),
    ("REPORT", {"sections": [{"type": "table", "columns": ["a"], "rows": [[1, 2]]}]}, "/sections/0/rows/0", "ragged"),
    ("REPORT", {"sections": [{"type": "table", "rows": [[1], [1, 2]]}]}, "/sections/0/rows/1", "ragged"),
    ("REPORT", {"sections": [{"type": "table", "rows": [], "data_set": "s"}]}, "/sections/0", "exclusive"),
    ("REPORT", {"sections": [{"type": "table", "rows": [[{}]]}]}, "/sections/0/rows/0/0", "wrong_type"),
    ("REPORT", {"sections": [{"type": "table", "data_set": "No Name"}]}, "/sections/0/data_set", "wrong_format"),
    ("REPORT", {"sections": [{"type": "table", "rows": [[0]] * 2001}]}, "/sections/0/rows", "too_many"),
    ("REPORT", {"sections": [{"type": "chart", "spec": {"data": {"url": "https://x"}}}]}, "/sections/0/spec/data/url",
     "dangerous_url"),
    ("REPORT", {"sections": [{"type": "figure", "image_url": "javascript:alert(1)", "alt_text": "x"}]},
     "/sections/0/image_url", "dangerous_url"),
    ("REPORT", {"sections": [{"type": "markdown", "text": "", "id": "a"}] * 2}, "/sections/1/id", "duplicate"),
    ("DASHBOARD", {"columns": 4, "panels": [{"type": "text", "text": "", "grid": {"x": 2, "y": 0, "w": 3, "h": 1}}]},
     "/panels/0/grid/w", "too_large"),
    ("DASHBOARD", {"panels": [{"type": "text", "text": ""}] * 101}, "/panels", "too_many"),
    ("DASHBOARD", {"panels": [{"type": "metric"}]}, "/panels/0", "required"),
    ("PDF", {"file_id": ID, "sections": []}, "", "exclusive"),
    ("REFERENCE", {"note": "x"}, "", "required"),
    ("REFERENCE", 5, "", "wrong_type"),
    ("REFERENCE", "x" * (limits.CONTENT_BYTES + 1), "", "too_long"),
    ("REFERENCE", "\x00", "", "wrong_format"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "content"), GOOD)
def test_what_is_taken_comes_back_unchanged(kind: ArtifactType, content: Any) -> None:
    assert contents.faults(kind, content) == ()
    packed = contents.packed(kind, content)
    assert json.loads(contents.unpacked(packed.data)) == content
    assert packed.size == len(contents.unpacked(packed.data).encode())


@pytest.mark.parametrize(("kind", "content", "pointer", "code"), BAD)
def test_what_is_refused(kind: ArtifactType, content: Any, pointer: str, code: str) -> None:
    found = {(fault.pointer, fault.code) for fault in contents.faults(kind, content)}
    assert any(where.startswith(pointer) and what == code for where, what in found), found


def test_every_fault_at_once() -> None:
    content = {"sections": [{"type": "markdown"}, {"type": "figure", "file_id": "x", "alt_text": ""}], "x": 1}
    with pytest.raises(ValidationFailed) as refused:
        contents.must_be_valid("REPORT", content)
    assert refused.value.field_errors.keys() == {
        "content.x", "content.sections.0.text", "content.sections.1.file_id", "content.sections.1.alt_text",
    }  # fmt: skip


def test_a_content_has_a_largest_size() -> None:
    sections = [{"type": "markdown", "text": "é" * 50_000} for _ in range(3)]
    with pytest.raises(TooLarge, match="262144"):
        contents.packed("REPORT", {"sections": sections})


def test_what_is_nested_too_deep_is_not_looked_through() -> None:
    deep: Any = {}
    for _ in range(900):
        deep = {"a": deep}
    assert [fault.code for fault in contents.faults("REPORT", {"sections": deep})] == ["too_deep"]


def test_the_same_content_has_the_same_name() -> None:
    first, again = [contents.packed("PDF", {"file_id": ID}) for _ in range(2)]
    assert (first.digest, first.data) == (again.digest, again.data)


def test_what_a_search_finds_of_a_content() -> None:
    found = list(contents.texts(GOOD[3][1]))
    assert {"In short.", "Ana", "Intro", "# Hello", "x", "Two", "A bar", "A photo"} <= set(found)
    assert "bar" not in found, "a chart's program is no text"


def test_two_versions_compared() -> None:
    before = {"sections": [{"type": "markdown", "text": "one\ntwo\nthree"}], "abstract": "a"}
    after = {"sections": [{"type": "markdown", "text": "one\n2\nthree"}], "abstract": "b"}
    found = compared(before, after)
    assert [operation["path"] for operation in found.patch] == ["/sections/0/text", "/abstract"]
    (text,) = found.texts
    assert text.pointer == "/sections/0/text"
    assert text.lines == ("@@ -1,3 +1,3 @@", " one", "-two", "+2", " three")


def test_long_texts_are_not_compared_by_lines() -> None:
    a, b = "\n".join(map(str, range(3000))), "\n".join(map(str, range(3000, 0, -1)))
    found = compared(a, b)
    assert (len(found.patch), found.texts) == (1, ())


def test_texts_of_equal_lines_are_not_compared_for_minutes() -> None:
    """Matched, each of these texts would take a second; an artifact has room for forty."""
    a = [str(line // 2 % 50) if line % 2 else f"a{line}" for line in range(2000)]
    b = [str(line // 2 % 50) if line % 2 else f"b{line}" for line in range(2000)]
    found = compared(["\n".join(a)] * 40, ["\n".join(b)] * 40)
    assert len(found.patch) == 40
    assert found.texts == ()


def test_ordinary_texts_with_empty_lines_are_compared() -> None:
    short = [line for number in range(90) for line in (f"Paragraph {number}", "")]
    long = short * 5
    for before in (short, long):
        after = [*before[:20], "New", *before[20:]]
        found = compared("\n".join(before), "\n".join(after))
        assert len(found.texts) == 1
        assert "+New" in found.texts[0].lines


def test_a_chart_makes_few_numbers_by_itself() -> None:
    """A reader's browser draws them as well."""

    def found(sequence: Any) -> list[str]:
        spec = {"layer": [{"mark": "line", "data": {"sequence": sequence}}]}
        faults = contents.faults("REPORT", {"sections": [{"type": "chart", "spec": spec}]})
        return [fault.pointer for fault in faults if fault.code == "too_many"]

    most = limits.CHART_SEQUENCE
    where = ["/sections/0/spec/layer/0/data/sequence"]
    assert found({"start": 0, "stop": most}) == found({"start": 5, "stop": -5, "step": -1}) == found("x") == []
    for greedy in ({"stop": most + 1}, {"start": 0, "stop": 1, "step": 1e-9}, {"stop": 9, "step": 0},
                   {"start": -1e308, "stop": 1e308}, {"stop": 10**400, "step": 0.5}):  # fmt: skip
        assert found(greedy) == where


def test_the_words_of_a_content_are_folded_beside_the_journal_and_bounded() -> None:
    """One character of Arabic becomes eighteen."""
    expected = contents.Words("arger im cafe", "Ärger im CAFÉ", "arger im cafe")
    assert contents.packed("REPORT", "Ärger im CAFÉ").words == expected
    found = contents.packed("REPORT", "\ufdfa" * 40_000).words
    assert len(found.folded) == len(found.folded_excerpt) == limits.SEARCH_FILE_WORDS
    assert len(found.excerpt) == limits.SEARCH_FILE_CHARS
