"""What the index knows of a message: its words, and tags for everything else."""

from typing import Any

import orjson
import pytest

from storage.search import documents
from storage.search.documents import spoken


def tags(**changed: Any) -> set[str]:
    given: dict[str, Any] = {
        "key": 9, "thread": 3, "author": 7, "message_type": "USER", "content": "x", "blocks": None, "parent": None,
    }  # fmt: skip
    return set(documents.message(**{**given, **changed}).tags.split())


def test_tags() -> None:
    assert tags() == {"km", "t3", "a7", "yuser"}
    assert tags(message_type="TOOL", parent=4) == {"km", "t3", "a7", "ytool", "hreply"}
    assert set(documents.entry("kt", 5, 3, 7, "Title").tags.split()) == {"kt", "t3", "a7"}


@pytest.mark.parametrize(
    ("content", "blocks", "features"),
    [
        ("see https://example.com", None, {"hlink"}),
        ("see http://x", "[]", {"hlink"}),
        ("example.com, mailto:a@b.c", None, set()),
        ("", '[{"type":"button","url":"https://example.com"}]', {"hlink", "hblocks"}),
        ("", '[{"type":"divider"}]', {"hblocks"}),
    ],
)
def test_what_a_message_has(content: str, blocks: str | None, features: set[str]) -> None:
    assert tags(content=content, blocks=blocks) - {"km", "t3", "a7", "yuser"} == features


def test_words_of_a_user_are_no_tags() -> None:
    document = documents.message(1, 1, 1, "USER", "km t2 hlink", None, None)
    assert (document.text, document.tags) == ("km t2 hlink", "km t1 a1 yuser")


def test_the_text_of_blocks() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Sales"}},
        {
            "type": "section", "block_id": "secret-id", "text": {"type": "mrkdwn", "text": "*up*"},
            "fields": [{"type": "mrkdwn", "text": "north"}],
            "accessory": {"type": "image", "image_url": "https://e.com/hidden.png", "alt_text": "a chart"},
        },
        {"type": "actions", "elements": [{"type": "button", "text": {"text": "Go"}, "value": "v", "action_id": "a"}]},
        {"type": "rich_text", "elements": [{"elements": [{"type": "link", "url": "https://l", "text": "here"}]}]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "cell"}]]},
        {"type": "data_visualization", "categories": ["Q1", "Q2"], "series": [{"name": "west", "data": [1, 2]}]},
        {"type": "card", "title": "A title", "subtitle": None, "body": "Its body"},
    ]  # fmt: skip
    assert spoken("Look:", orjson.dumps(blocks).decode()).split("\n") == [
        "Look:", "Sales", "*up*", "north", "a chart", "Go", "here", "cell", "Q1", "Q2", "west", "A title", "Its body",
    ]  # fmt: skip


def test_a_message_without_blocks() -> None:
    assert spoken("text", None) == spoken("text", "[]") == "text"
    assert spoken("", '[{"type":"markdown","text":"only"}]') == "only"
