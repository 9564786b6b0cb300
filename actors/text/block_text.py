"""What blocks say, as plain lines: whatever of a layout is text. Pure, and lenient: any JSON yields some, or none."""

import json
import re
from collections.abc import Iterator
from typing import Any

from actors import limits

_TEXTS = frozenset(
    {
        "text",
        "title",
        "subtitle",
        "body",
        "subtext",
        "description",
        "label",
        "hint",
        "alt_text",
        "author_name",
        "caption",
        "transcript",
        "submit",
        "x_label",
        "y_label",
    }
)
"""Fields whose value is shown, where it is a string."""
_INLINE = ("rich_text_section", "rich_text_preformatted", "rich_text_quote")
_WORDS = re.compile(r"\w+")


def missing_lines(content: str, blocks: str | None) -> list[str]:
    """What the blocks say that the content does not: senders often put the same in both. `blocks` is JSON text."""
    if blocks is None or blocks == "[]":
        return []
    begin = _comparable(content[: limits.BLOCK_TEXT_COMPARED_CHARS])
    said = {_comparable(line) for line in content.split("\n")}
    missing = []
    for line in lines(json.loads(blocks)):
        comparable = _comparable(line)
        if comparable not in said and comparable not in begin:
            missing.append(line)
            said.add(comparable)
    return missing


def _comparable(text: str) -> str:
    """Words without case, punctuation and markup, each between spaces, so that parts of words differ."""
    return f" {' '.join(_WORDS.findall(text.casefold())) or text} "


def lines(blocks: Any) -> Iterator[str]:
    """The first of all that a layout says."""
    for _, line in zip(range(limits.BLOCK_TEXT_LINES), _lines(blocks), strict=False):
        yield line


def _lines(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _lines(item)
    elif isinstance(node, dict):
        yield from _lines_of_object(node)


def _lines_of_object(node: dict[str, Any]) -> Iterator[str]:
    if node.get("type") in _INLINE:
        yield from _stripped("".join(map(_inline, _list(node.get("elements")))))
        return
    if (named := _named_value(node)) is not None:
        yield from _stripped(named)
        return
    for name, value in node.items():
        if name == "rows":
            for row in _list(value):
                yield from _stripped(" | ".join(" ".join(_lines(cell)) for cell in _list(row)))
        elif isinstance(value, str):
            if name in _TEXTS:
                yield from _stripped(value)
        else:
            yield from _lines(value)


def _named_value(node: dict[str, Any]) -> str | None:
    """A pair, a point of a chart, a number in a cell: its name and its value in one line."""
    match node:
        case {"type": "raw_number", "value": value} if not node.get("text"):
            return str(value)
        case {"key": str(name), "value": str(value)} if "type" not in node:
            return f"{name}: {value}"
        case {"label": str(name), "value": int(value) | float(value)} if "type" not in node:
            return f"{name}: {value}"
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _stripped(line: str) -> Iterator[str]:
    if line := line.strip(" \n\t|"):
        yield line


def _inline(element: Any) -> str:
    """A piece of a line of rich text."""
    match element:
        case {"type": "emoji", "name": str(name)}:
            return f":{name}:"
        case {"text": str(text)}:
            return text
        case {"type": "link", "url": str(url)}:
            return url
        case {"type": "user" | "channel" | "usergroup" | "team" | "broadcast"}:
            who = next((value for key, value in element.items() if key != "type" and isinstance(value, str)), "")
            return f"@{who}"
        case {"type": "date", "fallback": str(fallback)}:
            return fallback
    return ""
