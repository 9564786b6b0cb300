"""Markdown as safe HTML, in bounded time: no raw HTML goes in, and only an allow-list comes out.

markdown-it is quadratic for some input (tables, nested brackets). What would take long is not parsed but shown as it
was written; so is everything once a message has had its time.
"""

import html
import time
from collections.abc import Iterable
from typing import Final

import nh3
from markdown_it import MarkdownIt

from actors import limits
from actors.text.markdown_cost import cells, is_quick

_parser: Final = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": 20}).enable([
    "table", "strikethrough",
])  # fmt: skip
_without_tables: Final = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("strikethrough")
_TAGS: Final = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
    "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES: Final = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}, "code": {"class"}}
_SCHEMES: Final = {"https", "http", "mailto", "tel"}


def html_of(pieces: Iterable[str], until: float | None = None) -> str:
    """Of a message: pieces of Markdown, each a paragraph or more. What is not parsed by `until` (of the monotonic
    clock) is shown as it was written."""
    latest = time.monotonic() + limits.RENDER_SECONDS
    until = latest if until is None else min(until, latest)
    made = []
    room = limits.RENDERED_CHARS
    for piece in pieces:
        if room <= 0:
            break
        made.append(_one(piece[:room], is_late=time.monotonic() > until))
        room -= len(piece)
    return safe("\n".join(made))


def safe(text: str) -> str:
    return nh3.clean(
        text, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener noreferrer nofollow"
    )


def _one(text: str, *, is_late: bool) -> str:
    if is_late or not is_quick(text):
        return f"<pre>{html.escape(text)}</pre>"
    parser = _parser if cells(text) <= limits.MARKDOWN_CELLS else _without_tables
    return str(parser.render(text))
