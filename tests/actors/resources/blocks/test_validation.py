import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import limits
from actors.resources.blocks import profile as profiles
from actors.resources.blocks.validation import faults, validator
from tests.actors.resources.blocks import samples

PROFILE = profiles.load()
LIMITS = [
    pytest.param(name, field, pointer, made, limit, actual, id=f"{name}.{field}{pointer}={limit}")
    for name, shape in PROFILE.shapes.items()
    for field, spec in shape["fields"].items()
    for pointer, made, limit, actual in samples.over(PROFILE, spec)
    if name not in ("plain_text", "mrkdwn")
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
WORDS = sorted({"type", *(field for shape in PROFILE.shapes.values() for field in shape["fields"])})
ALIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(sorted(PROFILE.shapes)) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=30,
)


@pytest.mark.parametrize("name", PROFILE.shapes)
def test_the_smallest_of_every_shape_is_valid(name: str) -> None:
    blocks, _ = samples.placed(PROFILE, name, samples.shape(PROFILE, name))
    before = json.dumps(blocks)
    assert faults(blocks) == ()
    assert json.dumps(blocks) == before


@pytest.mark.parametrize("name", PROFILE.shapes)
def test_every_field_of_every_shape_is_taken(name: str) -> None:
    for field in PROFILE.shapes[name]["fields"]:
        made = samples.shape(PROFILE, name, field)
        if field in (one_of := PROFILE.shapes[name].get("one_of", ())):
            made = {key: value for key, value in made.items() if key == field or key not in one_of}
        blocks, _ = samples.placed(PROFILE, name, made)
        assert faults(blocks) == (), field


@pytest.mark.parametrize(("name", "field", "pointer", "made", "limit", "actual"), LIMITS)
def test_one_over_a_limit_is_refused_with_pointer_limit_and_actual(
    name: str, field: str, pointer: str, made: Any, limit: int, actual: int
) -> None:
    blocks, place = samples.placed(PROFILE, name, {**samples.shape(PROFILE, name, field), field: made})
    where = f"{place}/{field}{pointer}"
    assert (where, limit, actual) in [(fault.pointer, fault.limit, fault.actual) for fault in faults(blocks)]


def section(text: Any = "x", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": "Yes"}, "action_id": action_id}


def row(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "raw_text", "text": text} for text in texts]


@pytest.mark.parametrize(
    ("blocks", "pointer", "code"),
    [
        ({}, "", "wrong_type"),
        ([section()] * 51, "", "too_many"),
        ([{"type": "sectoin"}], "/0/type", "unknown_type"),
        ([{"type": "X-own"}], "/0/type", "unknown_type"),
        ([section(txt=1)], "/0/txt", "unknown_field"),
        ([{"type": "section", "text": None}], "/0", "required"),
        (
            [{"type": "actions", "elements": [{"type": "overflow", "options": [{"type": "option"}]}]}],
            "/0/elements/0/options/0/type",
            "unknown_field",
        ),
        ([section(), {"type": "header", "text": None}], "/1/text", "wrong_type"),
        ([{"type": "markdown", "text": "x" * 6_001}] * 2, "", "too_long"),
        ([section(block_id="a"), section(block_id="a")], "/1/block_id", "duplicate"),
        ([{"type": "actions", "elements": [button("a"), button("a")]}], "/0/elements/1/action_id", "duplicate"),
        ([{"type": "table", "rows": [row("a", "b"), row("c")]}], "/0/rows/1", "ragged"),
        ([{"type": "data_table", "caption": "c", "rows": [row("x" * 10_001)] * 2}], "/0/rows", "too_long"),
        ([{"type": "image", "image_url": "javascript:alert(1)", "alt_text": "a"}], "/0/image_url", "dangerous_url"),
        ([{"type": "image", "image_url": " data:text/html,x", "alt_text": "a"}], "/0/image_url", "dangerous_url"),
        ([{"type": "chart", "spec": {"data": [{"url": "https://x"}]}}], "/0/spec/data/0/url", "dangerous_url"),
        ([{"type": "x-own", "k": "x" * limits.BLOCKS_BYTES}], "/0", "too_large"),
        ([{"type": "form", "title": "t", "blocks": [{"type": "form"}]}], "/0/blocks/0/type", "unknown_type"),
    ],
)
def test_what_is_refused(blocks: Any, pointer: str, code: str) -> None:
    assert (pointer, code) in [(fault.pointer, fault.code) for fault in faults(blocks)]


def test_every_fault_is_told_at_once() -> None:
    blocks = [section("x" * 3_001), {"type": "header"}, 5, section(7)]
    assert [fault.pointer for fault in faults(blocks)] == ["/0/text/text", "/1/text", "/2", "/3/text/text"]
    assert len(faults([{"type": "?"}] * 10_000)) == limits.FIELD_ERRORS


def test_what_is_somebodys_own_passes() -> None:
    own = {"type": "x-acme.map_1", "url": "javascript:1", "block_id": 5, "elements": [{"action_id": "a"}] * 2}
    assert faults([own, own]) == ()


def test_another_profile_is_data_alone() -> None:
    data = json.loads(json.dumps({**PROFILE.__dict__, "name": "tight", "blocks": 1}))
    data["shapes"]["header"]["fields"]["text"]["max"] = 3
    tight = validator(profiles.of(data, {"families": {}, "shapes": {}}))
    header = {"type": "header", "text": {"type": "plain_text", "text": "four"}}
    assert [fault.limit for fault in tight([header] * 2)] == [1, 3, 3]


@given(JSON | ALIKE | st.lists(ALIKE, max_size=3))
def test_anything_gives_faults_or_none_and_raises_nothing(value: Any) -> None:
    for fault in faults(value):
        assert fault.sentence
        assert fault.pointer == "" or fault.pointer.startswith("/")


def test_fifty_blocks_take_no_millisecond() -> None:
    blocks = [section("some *text*", block_id=f"b{number}") for number in range(50)]
    validate, taken = faults, []
    for _ in range(50):
        started = time.perf_counter()
        assert validate(blocks) == ()
        taken.append(time.perf_counter() - started)
    assert min(taken) < 0.001
