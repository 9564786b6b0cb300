"""What the index holds of a message, or of a title: words, and tags for whatever else a search may ask."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from actors.text.folding import fold


class Document(NamedTuple):
    key: int
    """The log position at which it was made: messages and threads in one order, and a message's own key."""
    text: str
    tags: str


MESSAGE = "km"
_SHOWN = frozenset({
    "text", "title", "subtitle", "subtext", "body", "header", "summary", "details", "description", "hint", "label",
    "labels", "categories", "caption", "alt_text", "author_name", "name",
})  # fmt: skip
"""Fields of blocks in which there is text for a reader; all others are for programs."""


def in_thread(key: int) -> str:
    return f"t{key}"


def by_author(key: int) -> str:
    return f"a{key}"


def of_type(message_type: str) -> str:
    return f"y{message_type.lower()}"


def having(feature: str) -> str:
    return f"h{feature}"


def message(
    key: int, thread: int, author: int, message_type: str, content: str, blocks: str | None, parent: int | None
) -> Document:
    tags = f"{MESSAGE} {in_thread(thread)} {by_author(author)} {of_type(message_type)}"
    if _has_link(content) or (blocks and _has_link(blocks)):
        tags += f" {having('link')}"
    if blocks is not None and blocks != "[]":
        tags += f" {having('blocks')}"
    if parent is not None:
        tags += f" {having('reply')}"
    return Document(key, fold(spoken(content, blocks)), tags)


def _has_link(text: str) -> bool:
    return "https://" in text or "http://" in text


def entry(tag: str, position: int, thread: int, author: int, folded: str) -> Document:
    """Of a text that is no message: the title of a thread, and what other resources declare."""
    return Document(position, folded, f"{tag} {in_thread(thread)} {by_author(author)}")


def spoken(content: str, blocks: str | None) -> str:
    """All that a message says to a reader."""
    if not blocks:
        return content
    return "\n".join(part for part in (content, *_texts(orjson.loads(blocks))) if part)


def _texts(value: Any, *, shown: bool = False) -> Iterator[str]:
    if isinstance(value, str):
        if shown:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, shown=shown)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, shown=name in _SHOWN)
