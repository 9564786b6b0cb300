"""What blocks say, beside what the content says already."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import limits
from actors.text.block_text import missing_lines


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def lines(*blocks: Any, content: str = "") -> list[str]:
    return missing_lines(content, json.dumps(blocks))


BUTTON = {"type": "button", "text": plain("Yes"), "value": "v", "action_id": "a"}
IMAGE = {"type": "image", "title": plain("Cat"), "alt_text": "It sleeps", "image_url": "https://x/y"}
TABLE = {
    "type": "table",
    "rows": [
        [{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}],
        [{"type": "raw_text", "text": "1"}, rich(section({"type": "text", "text": "2"}))],
    ],
}
RICH = rich(
    section(
        {"type": "text", "text": "Hi "}, {"type": "user", "user_id": "U1"}, {"type": "text", "text": " "},
        {"type": "emoji", "name": "wave"}, {"type": "link", "url": "https://x"},
    ),
    {"type": "rich_text_list", "elements": [
        section({"type": "text", "text": "one"}), section({"type": "link", "url": "https://x", "text": "two"}),
    ]},
)  # fmt: skip
DATED = rich(
    section(
        {"type": "date", "timestamp": 1, "fallback": "today"}, {"type": "color", "value": "#FFF"},
        {"type": "broadcast", "range": "here"},
    )
)  # fmt: skip
INPUT = {"type": "input", "label": plain("Your name"), "element": {"type": "plain_text_input", "hint": plain("short")}}
UNKNOWN = {"type": "whatever_comes", "text": 5, "elements": None, "rows": "x", "more": [[{"title": " T "}]]}


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"type": "divider"}, []),
        ({"type": "header", "text": plain("Plans")}, ["Plans"]),
        ({"type": "section", "text": mrkdwn("*Bold*"), "fields": [plain("a"), plain("b")]}, ["*Bold*", "a", "b"]),
        ({"type": "markdown", "text": "# Title\n\ntext"}, ["# Title\n\ntext"]),
        ({"type": "context", "elements": [mrkdwn("by Ana"), IMAGE]}, ["by Ana", "Cat", "It sleeps"]),
        ({"type": "actions", "elements": [BUTTON]}, ["Yes"]),
        (TABLE, ["a | b", "1 | 2"]),
        (RICH, ["Hi @U1 :wave:https://x", "one", "two"]),
        (DATED, ["today@here"]),
        (INPUT, ["Your name", "short"]),
        ({"type": "video", "title": plain("Film"), "author_name": "Bo", "video_url": "https://x"}, ["Film", "Bo"]),
        (UNKNOWN, ["T"]),
        (rich({"type": "rich_text_section", "elements": [5, {"type": "new"}, {"type": []}]}), []),
        ({"type": [], "text": {"type": {}}}, []),
    ],
)
def test_what_a_block_says(block: dict[str, Any], said: list[str]) -> None:
    assert lines(block) == said


@pytest.mark.parametrize("blocks", [None, "[]"])
def test_no_blocks_say_nothing(blocks: str | None) -> None:
    assert missing_lines("x", blocks) == []


def test_what_the_content_says_already_is_left_out() -> None:
    header = {"type": "header", "text": plain("Plan: *the* trip!")}
    assert lines(header, content="Plan the trip") == []
    assert lines(header, content="PLAN — the **trip** starts") == []
    assert lines(header, content="Plan the trips") == ["Plan: *the* trip!"]
    assert lines({"type": "section", "text": plain("end")}, content="the weekend") == ["end"], "a part of a word"
    assert lines({"type": "section", "text": plain("🎉")}, content="hurrah") == ["🎉"]
    assert lines({"type": "section", "text": plain("🎉")}, content=" 🎉 ") == []


def test_what_is_said_twice_is_told_once() -> None:
    assert lines(*[{"type": "section", "text": plain("same")}] * 3) == ["same"]


def test_lines_are_bounded() -> None:
    assert len(lines(*({"text": f"line {n}"} for n in range(2 * limits.BLOCK_TEXT_LINES)))) == limits.BLOCK_TEXT_LINES


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "text", "elements", "rows", "title", "fields", "url"]), inner, max_size=4
    ),
    max_leaves=15,
)  # fmt: skip


@given(st.lists(json_values, max_size=4), st.text(max_size=10))
def test_any_json_is_read(blocks: list[Any], content: str) -> None:
    told = missing_lines(content, json.dumps(blocks))
    assert all(line.strip() for line in told)
    assert len(set(told)) == len(told)
