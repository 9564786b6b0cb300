"""Blocks that are too long, made to fit: cut, or divided, and nothing else repaired."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.resources.blocks import fitting
from actors.resources.blocks import profile as profiles
from actors.resources.blocks.fitting import Fit
from actors.resources.blocks.validation import faults
from tests.actors.resources.blocks import samples

Json = dict[str, Any]
PROFILE = profiles.load()
LONG = [
    pytest.param(name, field, made, id=f"{name}.{field}{pointer}={limit}")
    for name, shape in PROFILE.shapes.items()
    for field, spec in shape["fields"].items()
    for pointer, made, limit, actual in samples.over(PROFILE, spec)
    if actual > limit
    if spec["kind"] in ("text", "array") and name not in ("plain_text", "mrkdwn")
]


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def fit(blocks: Any, how: Fit) -> tuple[Any, list[tuple[str, str, int, int]]]:
    before = copy.deepcopy(blocks)
    made, changes = fitting.fitted(blocks, how)
    assert blocks == before, "what came is left as it is"
    return made, [(change.pointer, change.action, change.limit, change.actual) for change in changes]


def test_nothing_is_changed_where_nothing_was_asked_for() -> None:
    assert fit([section("x" * 3001)], "reject") == ([section("x" * 3001)], [])
    assert fit([section("x")], "truncate") == ([section("x")], [])


def test_a_text_is_cut() -> None:
    made, changes = fit([section("x" * 3001, block_id="b")], "truncate")
    assert made == [section("x" * 2999 + "…", block_id="b")]
    assert changes == [("/0/text/text", "truncated", 3000, 3001)]


def test_a_text_is_divided_at_words() -> None:
    text = "word " * 1000
    made, changes = fit([section(text, block_id="b"), {"type": "divider"}], "split")
    assert faults(made) == ()
    assert "".join(block["text"]["text"] for block in made[:-1]) == text
    assert all(block["text"]["text"].endswith(" ") for block in made[:-1])
    assert [block.get("block_id") for block in made] == ["b", None, None]
    assert changes == [("/0/text/text", "split", 3000, 5000)]


def test_a_table_is_divided_under_its_head() -> None:
    rows = [[{"type": "raw_text", "text": str(number)}] for number in range(250)]
    made, changes = fit([{"type": "table", "rows": rows}], "split")
    assert faults(made) == ()
    assert all(block["rows"][0] == rows[0] for block in made)
    assert [rows[0], *(row for block in made for row in block["rows"][1:])] == rows
    assert changes == [("/0/rows", "split", 100, 250)]


def test_the_budget_of_markdown_is_kept_by_the_last_ones() -> None:
    blocks = [{"type": "markdown", "text": "a" * 8_000}, {"type": "markdown", "text": "b" * 8_000}]
    made, changes = fit(blocks, "truncate")
    assert faults(made) == ()
    assert [len(block["text"]) for block in made] == [8_000, 4_000]
    assert changes == [("", "truncated", 12_000, 16_000)]
    assert [fault.code for fault in faults(fit(blocks, "split")[0])] == ["too_long"], "dividing does not help"


def test_too_many_blocks_are_cut_but_not_where_texts_are_divided() -> None:
    blocks = [{"type": "divider"}] * 60
    made, changes = fit(blocks, "truncate")
    assert (len(made), changes) == (50, [("", "truncated", 50, 60)])
    assert fit(blocks, "split") == (blocks, [])


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "image_url": "https://x/" + "a" * 3000, "alt_text": "x"},
        section("x", block_id="b" * 256),
        {"type": "header"},
        {"type": "sectoin"},
        {"type": "image", "image_url": "javascript:1", "alt_text": "x"},
    ],
)
def test_what_cannot_be_made_to_fit_stays_a_fault(block: Json) -> None:
    for how in ("truncate", "split"):
        made, changes = fit([block], how)  # type: ignore[arg-type]
        assert (made, changes) == ([block], [])
        assert faults(made)


@pytest.mark.parametrize(("name", "field", "made"), LONG)
def test_all_that_is_too_long_or_too_many_is_cut(name: str, field: str, made: Any) -> None:
    blocks, _ = samples.placed(PROFILE, name, {**samples.shape(PROFILE, name, field), field: made})
    fitted, changes = fit(blocks, "truncate")
    before, after = faults(blocks), faults(fitted)
    assert {fault.pointer for fault in after} <= {fault.pointer for fault in before}
    long = [fault for fault in after if fault.code in ("too_long", "too_many")]
    assert len(changes) + len(long) >= 1
    identifiers = fitting._IDENTIFIERS
    assert all(fault.pointer.split("/")[-1] in identifiers or fault.limit == 20_000 for fault in long), long


@given(st.text("ab \n", max_size=60), st.integers(2, 20))
def test_pieces_make_the_whole(text: str, most: int) -> None:
    pieces = fitting._pieces(text, most)
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= most for piece in pieces)
