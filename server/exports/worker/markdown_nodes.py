"""Markdown as a tree that the template sets: lists and objects, in which text is only text."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

Node = dict[str, Any]
Inline = str | Node
Piece = Sequence[str]
"""A text, and how it is read: `markdown`, `without_tables`, or `plain`."""

_OPTIONS: Final = {"html": False, "linkify": False, "maxNesting": 20}
_PARSERS: Final = {
    "markdown": MarkdownIt("commonmark", _OPTIONS).enable(["table", "strikethrough"]),
    "without_tables": MarkdownIt("commonmark", _OPTIONS).enable("strikethrough"),
}
_SCHEMES: Final = ("https://", "http://", "mailto:", "tel:")
_STYLES: Final = {"strong": "strong", "em": "emph", "s": "strike"}
LEVELS: Final = 6


def nodes_of(pieces: Iterable[Piece], deeper: int, until: float) -> list[Node]:
    """`deeper`: how many levels a heading is below its own. After `until` (of the monotonic clock) text is shown as it
    was written."""
    found: list[Node] = []
    for text, how in pieces:
        parser = _PARSERS.get(how) if time.monotonic() < until else None
        found += [{"t": "code", "text": text}] if parser is None else _blocks(_tree(parser, text), deeper)
    return found


def _tree(parser: MarkdownIt, text: str) -> list[SyntaxTreeNode]:
    return SyntaxTreeNode(parser.parse(text)).children


def _blocks(nodes: Iterable[SyntaxTreeNode], deeper: int) -> list[Node]:
    return [block for node in nodes if (block := _block(node, deeper)) is not None]


def _block(node: SyntaxTreeNode, deeper: int) -> Node | None:
    match node.type:
        case "heading":
            return {"t": "heading", "level": min(int(node.tag[1:]) + deeper, LEVELS), "c": _inlines(node)}
        case "bullet_list" | "ordered_list":
            start = node.attrs.get("start", 1) if node.type == "ordered_list" else None
            return {"t": "list", "start": start, "c": [_blocks(item.children, deeper) for item in node.children]}
        case "blockquote":
            return {"t": "quote", "c": _blocks(node.children, deeper)}
        case "fence" | "code_block":
            return {"t": "code", "text": node.content.rstrip("\n")}
        case "hr":
            return {"t": "line"}
        case "table":
            return _table(node)
    return {"t": "p", "c": _inlines(node)} if node.children else None


def _table(node: SyntaxTreeNode) -> Node:
    rows = [[_inlines(cell) for cell in row.children] for part in node.children for row in part.children]
    return {"t": "cells", "head": rows[0], "rows": rows[1:]}


def _inlines(node: SyntaxTreeNode) -> list[Inline]:
    """Of a block that holds text: its one child is `inline`."""
    return [found for inline in node.children for child in inline.children for found in _inline(child)]


def _inline(node: SyntaxTreeNode) -> list[Inline]:
    inner = [found for child in node.children for found in _inline(child)]
    match node.type:
        case "strong" | "em" | "s":
            return [{"t": _STYLES[node.type], "c": inner}]
        case "code_inline":
            return [{"t": "raw", "text": node.content}]
        case "link":
            return _link(str(node.attrs.get("href", "")), inner)
        case "image":
            return _link(str(node.attrs.get("src", "")), [node.content or "image"])
        case "softbreak":
            return [" "]
        case "hardbreak":
            return [{"t": "break"}]
    return [node.content] if node.content else inner


def _link(url: str, inner: list[Inline]) -> list[Inline]:
    return [{"t": "link", "url": url, "c": inner or [url]}] if url.startswith(_SCHEMES) else inner


def texts_of(value: Any) -> Iterable[str]:
    """All strings in it; more than what is shown, which does no harm where scripts are looked for."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)
