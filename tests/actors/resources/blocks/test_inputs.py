"""What is filled in, checked by its input: only what it offers, within its bounds; and where blocks offer anything."""

import time
from typing import Any

import pytest

from actors import limits
from actors.resources.blocks import inputs, offers, validation
from actors.resources.blocks.inputs import Filled
from actors.resources.blocks.offers import Offer

Json = dict[str, Any]
USER, OTHER = "c" + "a" * 24, "c" + "b" * 24


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def options(*values: str) -> list[Json]:
    return [{"text": plain(value), "value": value} for value in values]


def faults(element: Json, value: Any) -> list[tuple[str, str]]:
    filled = Filled()
    inputs.check(Offer("b", "a", element["type"], element), value, (None, "value"), filled)
    return [(fault.pointer, fault.code) for fault in filled.faults.found]


TEXT = {"type": "plain_text_input", "min_length": 2, "max_length": 4}
NUMBER = {"type": "number_input", "is_decimal_allowed": True, "min_value": "-1.5", "max_value": "2.25"}
DATE = {"type": "datepicker", "min_date": "2026-02-01", "max_date": "2026-02-28"}
TIME = {"type": "timepicker", "min_time": "08:00", "max_time": "17:30"}
INSTANT = {"type": "datetimepicker", "min_date_time": 100, "max_date_time": 200}
RADIO = {"type": "radio_buttons", "options": options("a", "b")}
SELECT = {"type": "static_select", "option_groups": [{"label": plain("x"), "options": options("a", "b")}]}
BOXES = {"type": "checkboxes", "options": options("a", "b", "c")}
MULTI = {"type": "multi_static_select", "options": options("a", "b", "c"), "max_selected_items": 2}
FEEDBACK = {
    "type": "feedback_buttons",
    "positive_button": {"text": plain("+"), "value": "good"},
    "negative_button": {"text": plain("-"), "value": "bad"},
}


@pytest.mark.parametrize(
    ("element", "value"),
    [
        (TEXT, "ab"),
        (TEXT, "abcd"),
        ({"type": "plain_text_input"}, "a" * 3000),
        ({"type": "plain_text_input", "pattern": "[A-Z]+"}, "ABC"),
        (NUMBER, -1.5),
        (NUMBER, "2.25"),
        (NUMBER, 2),
        ({"type": "number_input", "is_decimal_allowed": False}, "3.0"),
        (DATE, "2026-02-01"),
        (DATE, "2026-02-28"),
        ({"type": "datepicker"}, "2028-02-29"),
        (TIME, "08:00"),
        (TIME, "17:30"),
        (INSTANT, 100),
        (RADIO, "a"),
        (SELECT, "b"),
        ({"type": "overflow", "options": options("x")}, "x"),
        (BOXES, ["a", "c"]),
        (BOXES, []),
        (MULTI, ["c", "b"]),
        (FEEDBACK, "bad"),
        ({"type": "button", "value": "42"}, "42"),
        ({"type": "icon_button"}, None),
        ({"type": "email_text_input"}, "ana@example.com"),
        ({"type": "url_text_input"}, "https://example.com/a?b=c"),
        ({"type": "external_select"}, "whatever its author has"),
        ({"type": "multi_external_select"}, ["x", "y"]),
        ({"type": "users_select"}, USER),
        ({"type": "multi_users_select"}, [USER, OTHER]),
        ({"type": "conversations_select"}, USER),
        ({"type": "channels_select"}, USER),
        ({"type": "file_input", "max_files": 2}, [USER, OTHER]),
        (
            {"type": "rich_text_input"},
            {
                "type": "rich_text",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "hi"}]}],
            },
        ),
    ],
)
def test_what_is_taken(element: Json, value: Any) -> None:
    assert faults(element, value) == []


@pytest.mark.parametrize(
    ("element", "value", "code", "where"),
    [
        (TEXT, "a", "too_short", ""),
        (TEXT, "abcde", "too_long", ""),
        (TEXT, 7, "wrong_type", ""),
        ({"type": "plain_text_input"}, "a" * 3001, "too_long", ""),
        ({"type": "plain_text_input", "pattern": "[A-Z]+"}, "abc", "wrong_format", ""),
        (NUMBER, -1.6, "too_small", ""),
        (NUMBER, "2.26", "too_large", ""),
        (NUMBER, "1e3", "wrong_format", ""),
        (NUMBER, "NaN", "wrong_format", ""),
        (NUMBER, float("inf"), "wrong_format", ""),
        (NUMBER, float("nan"), "wrong_format", ""),
        (NUMBER, 10**400, "wrong_format", ""),
        (NUMBER, True, "wrong_format", ""),
        ({"type": "number_input", "is_decimal_allowed": False}, 1.5, "wrong_format", ""),
        (DATE, "2026-01-31", "too_small", ""),
        (DATE, "2026-03-01", "too_large", ""),
        (DATE, "2026-02-30", "wrong_format", ""),
        (DATE, "20260202", "wrong_format", ""),
        (TIME, "07:59", "too_small", ""),
        (TIME, "17:31", "too_large", ""),
        (TIME, "24:00", "wrong_format", ""),
        (INSTANT, 99, "too_small", ""),
        (INSTANT, 201, "too_large", ""),
        (INSTANT, "150", "wrong_type", ""),
        (INSTANT, 150.5, "wrong_type", ""),
        (RADIO, "c", "not_a_choice", ""),
        (RADIO, ["a"], "not_a_choice", ""),
        (SELECT, "x", "not_a_choice", ""),
        (BOXES, ["a", "d"], "not_a_choice", "/1"),
        (BOXES, ["a", "a"], "duplicate", "/1"),
        (BOXES, "a", "wrong_type", ""),
        (BOXES, [{}], "not_a_choice", "/0"),
        (MULTI, ["a", "b", "c"], "too_many", ""),
        (FEEDBACK, "so so", "not_a_choice", ""),
        ({"type": "button", "value": "42"}, "43", "not_a_choice", ""),
        ({"type": "button"}, "42", "not_a_choice", ""),
        ({"type": "email_text_input"}, "ana", "wrong_format", ""),
        ({"type": "url_text_input"}, "javascript:alert(1)", "wrong_format", ""),
        ({"type": "external_select"}, "", "not_a_choice", ""),
        ({"type": "external_select"}, "x" * 151, "not_a_choice", ""),
        ({"type": "users_select"}, "ana", "not_a_choice", ""),
        ({"type": "file_input"}, [USER] * 11, "too_many", ""),
        ({"type": "rich_text_input"}, {"type": "header", "text": plain("x")}, "wrong_type", ""),
        ({"type": "rich_text_input"}, {"type": "rich_text", "elements": 7}, "wrong_type", "/elements"),
    ],
)
def test_what_is_not(element: Json, value: Any, code: str, where: str) -> None:
    assert faults(element, value) == [(f"/value{where}", code)]


def test_every_element_that_blocks_may_have_is_checked() -> None:
    from actors.resources.blocks import profile

    families = profile.load().families
    elements = {*families["action"], *families["accessory"], *families["input"]} - {"element.image"}
    assert elements == offers.STATEFUL | offers.MOMENTARY == inputs._CHECKS.keys()


def test_ids_are_looked_up_by_a_store() -> None:
    filled = Filled()
    inputs.check(Offer("b", "a", "multi_users_select", {"type": "multi_users_select"}), [USER, OTHER], None, filled)
    assert [(what, uid) for _, what, uid, _ in filled.named] == [("user", USER), ("user", OTHER)]


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain("Go"), **more}


BLOCKS = [
    {"type": "section", "text": plain("x"), "accessory": button(action_id="a")},
    {"type": "section", "block_id": "named", "text": plain("x"), "accessory": button()},
    {"type": "actions", "elements": [button(action_id="one"), button()]},
    {"type": "input", "block_id": "silent", "label": plain("x"), "element": {"type": "datepicker", "action_id": "d"}},
    {
        "type": "input",
        "block_id": "loud",
        "dispatch_action": True,
        "label": plain("x"),
        "element": {"type": "datepicker", "action_id": "d"},
    },
    {
        "type": "container",
        "title": plain("x"),
        "child_blocks": [{"type": "actions", "elements": [button(action_id="deep")]}],
    },
    {
        "type": "form",
        "block_id": "form",
        "title": "x",
        "blocks": [{"type": "input", "label": plain("x"), "element": {"type": "email_text_input"}}],
    },
    {"type": "x-own", "elements": [button(action_id="not")]},
]


def test_where_blocks_offer_anything() -> None:
    assert validation.faults(BLOCKS) == ()
    found = offers.offers(BLOCKS)
    assert {name: offer.acts for name, offer in found.items()} == {
        ("/0", "a"): True,
        ("named", "/accessory"): True,
        ("/2", "one"): True,
        ("/2", "/elements/1"): True,
        ("silent", "d"): False,
        ("loud", "d"): True,
        ("/5/child_blocks/0", "deep"): True,
        ("form", ""): True,
    }
    block = offers.block_of(BLOCKS, "form")
    assert block is not None
    assert offers.inputs_of(*block).keys() == {("/6/blocks/0", "/element")}


def test_a_name_goes_before_a_place() -> None:
    blocks = [
        {"type": "actions", "elements": [button(action_id="a", value="0")]},
        {"type": "actions", "block_id": "/0", "elements": [button(action_id="a", value="1")]},
    ]
    assert offers.offers(blocks)["/0", "a"].element["value"] == "1"
    found = offers.block_of(blocks, "/0")
    assert found is not None
    assert found[0] is blocks[1]


def test_a_long_form_of_hostile_patterns_takes_bounded_time() -> None:
    element = {"type": "plain_text_input", "action_id": "t", "pattern": "(.*a){20}b", "max_length": 3000}
    blocks = [
        {"type": "input", "block_id": str(number), "label": plain("x"), "element": element} for number in range(20)
    ]
    form = {"type": "form", "title": "x", "blocks": blocks}
    state = {str(number): {"t": "a" * 3000} for number in range(20)}
    filled, begun = Filled(), time.monotonic()
    inputs.check_state(state, offers.inputs_of(form, "/0"), (None, "state"), filled, is_form=True)
    assert filled.faults.count == 20
    assert time.monotonic() - begun < 2
    assert sum(len(values["t"]) for values in state.values()) < limits.ACTION_STATE_BYTES
