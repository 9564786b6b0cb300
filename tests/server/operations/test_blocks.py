"""Blocks over the wire: refused with every fault, checked without sending, rendered safely."""

import re
import time
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.resources.blocks import markdown
from server.resources.blocks.html import html_of
from tests.serving import Client

HEADER = {"type": "header", "text": {"type": "plain_text", "text": "Plans"}}
LONG = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}
EVERYTHING: list[dict[str, Any]] = [
    HEADER,
    {"type": "section", "text": {"type": "mrkdwn", "text": "*bold* <https://a.example|site> <@U1> <script>"}},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "a|b"}], [{"type": "raw_number", "value": 3}]]},
    {"type": "key_value", "items": [{"key": "Commit", "value": "9fceb02"}]},
    {"type": "code", "text": "x\n```\n<b>"},
]


async def test_a_message_with_invalid_blocks_is_told_every_fault(alice: Client) -> None:
    thread = await alice.thread()
    refused = await alice.post(f"/api/v1/threads/{thread['id']}/messages", blocks=[LONG, {"type": "?"}])
    assert refused.status == 400
    assert refused.error["errors"].keys() == {"blocks.0.text.text", "blocks.1.type"}
    assert refused.error["errors"]["blocks.0.text.text"] == ["expected at most 150 characters; got 151."]


async def test_blocks_are_checked_without_sending(alice: Client) -> None:
    answer = await alice.post("/api/v1/blocks/validate", blocks=[HEADER, LONG])
    fault = {"pointer": "/1/text/text", "code": "too_long", "expected": "at most 150 characters"}
    assert answer.data["faults"] == [{**fault, "limit": 150, "actual": 151}]
    assert answer.data["valid"] is False
    assert (await alice.post("/api/v1/blocks/validate", blocks=[HEADER])).data["valid"] is True
    unknown = await alice.post("/api/v1/blocks/validate", blocks=[], profile="slack-1999")
    assert unknown.error["errors"].keys() == {"profile"}


async def test_a_message_is_rendered(alice: Client, bob: Client) -> None:
    thread = await alice.thread()
    message = await alice.say(thread, "See **below**", blocks=EVERYTHING)
    path = f"/api/v1/messages/{message['id']}/rendered"
    text = (await alice.get(path)).data["text"]
    assert "Commit: 9fceb02" in text
    shown = (await alice.get(path, format="markdown")).data["text"]
    assert "## Plans" in shown
    assert "**bold** [site](https://a.example) @U1" in shown
    html = (await alice.get(path, format="html")).data
    assert (html["format"], html["version"]) == ("html", 1)
    assert "<h2>Plans</h2>" in html["text"]
    assert "<th>a|b</th>" in html["text"]
    assert "<script" not in html["text"]
    assert "html" not in (await alice.get(f"/api/v1/messages/{message['id']}")).data
    assert (await bob.get(path)).status == 404


HOSTILE = {
    "wide and long table": "|a" * 2_000 + "\n" + "|-" * 2_000 + "\n" + "x\n" * 1_500,
    "long table": "|a|b|c|d|e|f|g|h|i|j\n|-|-|-|-|-|-|-|-|-|-\n" + "x\n" * 450,
    "brackets": "[" * 11_999,
    "nested links": "[a](" * 2_999,
    "images": "![[]()" * 1_900,
    "quotes": ">" * 11_999,
    "emphasis": "*a_" * 3_999,
    "stars": "**a " * 2_999,
    "backticks": "".join("`" * number + " " for number in range(150)),
    "entities": "&" * 12_000,
    "definitions": "[a]: b\n" * 1_500,
    "open tags": "<a " * 3_900,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_markdown_takes_no_time(name: str) -> None:
    started = time.thread_time()
    html_of([HOSTILE[name]])
    assert time.thread_time() - started < 0.5


class Page(HTMLParser):
    """As a browser reads it: elements and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, "", ""), *((tag, name, value or "") for name, value in attrs)]


def bad(text: str) -> list[tuple[str, str, str]]:
    return [
        (tag, name, value)
        for tag, name, value in Page(text).found
        if tag in ("script", "iframe", "style", "svg", "object", "form", "input")
        or name.startswith("on")
        or (name in ("href", "src") and re.match(r"\s*(?!https?:|mailto:|tel:)[a-z]+:", value, re.IGNORECASE))
    ]


PIECES = st.sampled_from([
    "<script>alert(1)</script>", "[x](javascript:alert(1))", "![a](data:text/html,1)", "<img src=x onerror=alert(1)>",
    "[a](https://b 'c\" onclick=\"x')", "<https://x|y>", "```\n", "**", "|a|\n|-|\n", "<svg onload=1>",
    "&#106;avascript:",
    "[a]: javascript:x\n[a]", "\n\n", "> ", "- ",
])  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=20), max_size=20).map("".join))
def test_no_html_has_a_script(text: str) -> None:
    blocks = [
        {"type": "markdown", "text": text},
        {"type": "section", "text": {"type": "mrkdwn", "text": text}, "fields": [{"type": "plain_text", "text": text}]},
        {"type": "key_value", "items": [{"key": text, "value": text, "url": text}]},
        {"type": "image", "image_url": text, "alt_text": text},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
            {"type": "link", "url": text, "text": text}, {"type": "text", "text": text, "style": {"bold": True}},
        ]}]},
    ]  # fmt: skip
    assert bad(html_of(markdown.pieces(blocks))) == []


async def test_a_page_of_messages_is_rendered(alice: Client) -> None:
    thread = await alice.thread()
    await alice.say(thread, "One **bold**")
    gone = await alice.say(thread, "Gone")
    await alice.say(thread, "", blocks=[HEADER])
    await alice.delete(f"/api/v1/messages/{gone['id']}")
    path = f"/api/v1/threads/{thread['id']}/messages"
    shown = (await alice.get(path, render="html")).data
    assert [message["rendered"].strip() for message in shown] == [
        "<h2>Plans</h2>",
        "",
        "<p>One <strong>bold</strong></p>",
    ]
    assert [message["rendered"] for message in (await alice.get(path, render="text")).data] == [
        "Plans",
        "",
        "One **bold**",
    ]
    assert "rendered" not in (await alice.get(path)).data[0]
    assert (await alice.get(path, render="pdf")).error["errors"].keys() == {"render"}


async def test_blocks_that_are_too_long_are_made_to_fit_where_that_is_asked_for(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    sent = await alice.post(f"{path}?fit=truncate", blocks=[LONG])
    assert sent.status == 201, sent.raw
    assert sent.metadata["fitted"] == [{"pointer": "/0/text/text", "action": "truncated", "limit": 150, "actual": 151}]
    assert sent.data["blocks"][0]["text"]["text"] == "x" * 149 + "…"
    assert "fitted" not in (await alice.post(path, blocks=[HEADER])).metadata
    changed = await alice.patch(f"/api/v1/messages/{sent.data['id']}?fit=split", blocks=[LONG, HEADER])
    assert (changed.status, len(changed.metadata["fitted"])) == (200, 1)
    refused = await alice.post(f"{path}?fit=truncate", blocks=[LONG, {"type": "?"}])
    assert refused.error["errors"].keys() == {"blocks.1.type"}, "only lengths are repaired"
    assert (await alice.post(f"{path}?fit=guess", blocks=[HEADER])).error["errors"].keys() == {"fit"}
    assert (await alice.post(path, fit="truncate", blocks=[HEADER])).error["errors"].keys() == {"fit"}
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    nested = await alice.post(f"{path}?fit=truncate", blocks=[{"type": "x-own", "deep": deep}, LONG])
    assert (nested.status, nested.error["errors"].keys()) == (400, {"blocks"})


async def test_fitting_is_tried_without_sending(alice: Client) -> None:
    answer = await alice.post("/api/v1/blocks/validate?fit=truncate", blocks=[LONG])
    assert answer.data["valid"] is True
    assert answer.data["blocks"][0]["text"]["text"] == "x" * 149 + "…"
    assert [change["pointer"] for change in answer.data["changes"]] == ["/0/text/text"]
    plain = (await alice.post("/api/v1/blocks/validate", blocks=[LONG])).data
    assert (plain["valid"], plain["blocks"], plain["changes"]) == (False, None, [])
