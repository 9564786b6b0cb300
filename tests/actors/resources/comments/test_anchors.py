"""Where the anchors of comments are after an artifact was edited."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.errors import ValidationFailed
from actors.resources.comments import passages
from actors.resources.comments.anchors import Anchor, Comparison, Place, made
from actors.resources.comments.passages import Region, changes, moved

TEXT = "Sales rose in May.\nThey fell in June.\nNobody knows why.\n"


def on(text: str, quote: str, pointer: str = "") -> Anchor:
    """The first place of these words."""
    start = text.index(quote)
    return made(text, pointer, start, start + len(quote), quote)


def found(anchor: Anchor, base: Any, newest: Any) -> Place | None:
    return Comparison(base, newest).found(anchor)


def text_of(place: Place | None) -> str | None:
    return place.text if place is not None else None


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (TEXT, "fell in June"),
        ("A title.\n\n" + TEXT, "fell in June"),
        (TEXT.replace("Sales rose in May.\n", ""), "fell in June"),
        (TEXT.replace("They fell", "Soon they fell"), "fell in June"),
        (TEXT.replace("in June", "deep in June"), "fell deep in June"),
        (TEXT.replace("fell in June", "fell in July"), "fell in July"),
        (TEXT.replace("fell in June", "dropped in June"), "dropped in June"),
        (TEXT.replace("They fell in June.\n", ""), None),
        (TEXT.replace("They fell in June.", "They were flat."), "were flat"),
        (TEXT.replace("They fell in June.", "Nothing else."), None),
        ("Nobody knows why.\nBut see: they fell in June, all of them.\nSales rose in May.\n", "fell in June"),
    ],
)
def test_a_range_of_a_text(after: str, expected: str | None) -> None:
    assert text_of(found(on(TEXT, "fell in June"), TEXT, after)) == expected


def test_words_that_stand_twice_are_told_by_what_is_around_them() -> None:
    text = "one cat here\ntwo cat there\n"
    start = text.rindex("cat")
    anchor = made(text, "", start, start + 3, None)
    place = found(anchor, text, "Now: two cat there, one cat here")
    assert place is None, "the line is another one, and around the words is other text"
    place = found(anchor, text, "A dog\none cat here\ntwo cat there\n")
    assert place == Place("", 6 + start, 9 + start, "cat")


def test_characters_are_code_points() -> None:
    text = "👍🏽 é agreed"
    anchor = on(text, "agreed")
    assert found(anchor, text, "Yes: " + text) == Place("", 10, 16, "agreed")


REPORT: dict[str, Any] = {
    "abstract": "Short.",
    "sections": [
        {"type": "markdown", "id": "a", "text": "First."},
        {"type": "markdown", "id": "b", "text": "Second one."},
        {"type": "divider"},
    ],
    "recommendations": ["Buy.", "Sell.", "Hold."],
}


def changed(**fields: Any) -> dict[str, Any]:
    return {**REPORT, **fields}


A, B, DIVIDER = REPORT["sections"]


@pytest.mark.parametrize(
    ("pointer", "newest", "expected"),
    [
        ("/abstract", changed(abstract="Longer."), "/abstract"),
        ("/abstract", {"sections": []}, None),
        ("/sections/1", changed(sections=[DIVIDER, A, B]), "/sections/2"),
        ("/sections/1/text", changed(sections=[{**B, "text": "Other."}, A]), "/sections/0/text"),
        ("/sections/1", changed(sections=[A, {**B, "text": "Second two."}, DIVIDER]), "/sections/1"),
        ("/sections/1", changed(sections=[A, DIVIDER]), None),
        ("/sections/1", changed(sections="text"), None),
        ("/recommendations/1", changed(recommendations=["Buy.", "Sell now.", "Hold."]), "/recommendations/1"),
        ("/recommendations/2", changed(recommendations=["Hold.", "Buy.", "Sell."]), "/recommendations/0"),
        ("/recommendations/1", changed(recommendations=["Buy.", "Hold."]), None),
        ("", "Only a text.", ""),
        ("/sections/0", "Only a text.", None),
    ],
)
def test_a_place(pointer: str, newest: Any, expected: str | None) -> None:
    place = found(made(REPORT, pointer, None, None, None), REPORT, newest)
    assert (place.pointer if place else None) == expected


def test_a_range_in_an_item_that_was_moved_and_edited() -> None:
    anchor = made(REPORT, "/sections/1/text", 7, 10, "one")
    newest = changed(sections=[{**B, "text": "A second one."}, A])
    assert found(anchor, REPORT, newest) == Place("/sections/0/text", 9, 12, "one")
    newest = changed(sections=[{**B, "text": "Here: Second one."}, A])
    assert found(anchor, REPORT, newest) == Place("/sections/0/text", 13, 16, "one")


def test_what_was_compared_for_one_anchor_serves_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of comments on one text cost what one does."""
    compared: list[str] = []

    def counting(before: str, after: str) -> list[Region]:
        compared.append(before)
        return changes(before, after)

    monkeypatch.setattr(passages, "changes", counting)
    newest = changed(sections=[{**B, "text": "Here: Second one."}, A])
    comparison = Comparison(REPORT, newest)
    anchors = [made(REPORT, f"/sections/{at}/text", start, start + 3, None) for at in (0, 1) for start in (0, 1, 2)]
    places = [comparison.found(anchor) for anchor in anchors]
    assert places == [found(anchor, REPORT, newest) for anchor in anchors]
    assert sorted(compared[:2]) == sorted(section["text"] for section in REPORT["sections"][:2])
    assert len(compared) == 2 + len(anchors), "six by one comparison, then six of their own"


@pytest.mark.parametrize(
    ("pointer", "start", "end", "quote", "field"),
    [
        ("/sections/9", None, None, None, "pointer"),
        ("/sections/01", None, None, None, "pointer"),
        ("/sections/x", None, None, None, "pointer"),
        ("/abstract/0", None, None, None, "pointer"),
        ("/sections", 0, 1, None, "pointer"),
        ("/abstract", 0, 7, None, "end"),
        ("/abstract", 3, 3, None, "end"),
        ("/abstract", 0, 5, "Shore", "quote"),
    ],
)
def test_no_such_place(pointer: str, start: int | None, end: int | None, quote: str | None, field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        made(REPORT, pointer, start, end, quote)
    assert list(refused.value.field_errors) == [f"anchor.{field}"]


texts = st.text("ab \n", max_size=40)


@given(texts, texts, st.data())
def test_a_range_stays_within_the_text(before: str, after: str, data: st.DataObject) -> None:
    if not before:
        return
    start = data.draw(st.integers(0, len(before) - 1))
    end = data.draw(st.integers(start + 1, len(before)))
    assert moved(changes(before, before), start, end) == (start, end)
    span = moved(changes(before, after), start, end)
    assert span is None or 0 <= span[0] < span[1] <= len(after)


@example("\n", "a", "", "x", "\n\n")  # the blank line at the begin equals the one at the end
@example("", "a\n\nb", "", "y\n\nx", "\n\n")
@given(
    texts,
    texts.filter(lambda text: bool(text.strip())),
    texts,
    st.text("xy\n", max_size=20),
    st.text("zw\n", max_size=20),
)
def test_edits_around_a_range_leave_its_words(head: str, quote: str, tail: str, new: str, more: str) -> None:
    """Marked by characters that stand nowhere else, so that what was edited is plain."""
    before = f"{head}<{quote}>{tail}"
    after = f"{new}<{quote}>{more}"
    start = len(head) + 1
    span = moved(changes(before, after), start, start + len(quote))
    assert span is None or quote in after
    kept = moved(changes(before, f"{new}{before}{more}"), start, start + len(quote))
    assert kept is not None
    assert f"{new}{before}{more}"[slice(*kept)] == quote
