"""Messages as plain text, Markdown or HTML."""

import time
from collections.abc import Sequence

import orjson

from actors import limits
from actors.resources.blocks import markdown
from actors.resources.messages import Message
from actors.text.block_text import lines, missing_lines
from server.resources.blocks.html import html_of
from server.resources.blocks.views import Format


def rendered(messages: Sequence[Message], format: Format) -> list[str]:  # noqa: A002 - as it is called on the wire
    """What cannot be rendered in time is shown as it was written. Takes up to `limits.RENDER_PAGE_SECONDS`: not for the
    event loop."""
    until = time.monotonic() + limits.RENDER_PAGE_SECONDS
    return [render(message, format, until) for message in messages]


def render(message: Message, format: Format, until: float | None = None) -> str:  # noqa: A002
    if format == "text":
        return "\n".join(filter(None, (message.content.strip(), *missing_lines(message.content, message.blocks))))
    pieces = _pieces(message)
    return html_of(pieces, until) if format == "html" else "\n\n".join(pieces)


def _pieces(message: Message) -> list[str]:
    """Content, and the blocks unless they only say the same."""
    content = [message.content.strip()] if message.content.strip() else []
    if message.blocks is None or message.blocks == "[]":
        return content
    blocks = orjson.loads(message.blocks)
    if content and any(True for _ in lines(blocks)) and not missing_lines(message.content, message.blocks):
        return content
    return [*content, *markdown.pieces(blocks)]
