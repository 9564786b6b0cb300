"""Blocks as Markdown: what a reader sees of them, in the order in which it stands. Pure, and bounded.

Lenient like `actors.text.block_text`: what was stored before it was checked gives what it has, and nothing is raised.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from actors import limits
from actors.text.block_text import lines

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")
_SAFE_URL: Final = re.compile(r"(?:https?|mailto|tel):[^\s<>()\\\"'`]{1,3000}", re.IGNORECASE)
_BOLD: Final = re.compile(r"(?<![\w*])\*([^\s*](?:[^*\n]{0,500}[^\s*])?)\*(?![\w*])")
_STRUCK: Final = re.compile(r"(?<![\w~])~([^\s~](?:[^~\n]{0,500}[^\s~])?)~(?![\w~])")
_LINK: Final = re.compile(r"<([a-z]{2,6}:[^|<>\s]{1,3000})(?:\|([^<>\n]{1,500}))?>")
_NAMED: Final = re.compile(r"<([@#!])([^|<>\s]{1,255})(?:\|([^<>\n]{1,255}))?>")


def pieces(blocks: Any) -> Iterator[str]:
    """The Markdown of one block after the other, without those that show nothing."""
    for _, (block, _) in zip(range(limits.MARKDOWN_BLOCKS), _all(blocks, 0), strict=False):
        if text := _of(block).strip("\n"):
            yield text


def _all(blocks: Any, depth: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Also those within containers, forms, plans and carousels, after the title of what holds them."""
    for block in blocks if isinstance(blocks, list) else ():
        if not isinstance(block, dict):
            continue
        yield block, depth
        if depth < 4:
            for name in ("child_blocks", "blocks", "tasks"):
                yield from _all(block.get(name), depth + 1)
            if block.get("type") == "carousel":
                yield from _all(block.get("elements"), depth + 1)


def _of(block: dict[str, Any]) -> str:
    kind = block.get("type")
    make = _KINDS.get(kind) if isinstance(kind, str) else None
    return make(block) if make is not None else _other(block)


def _other(block: dict[str, Any]) -> str:
    """What has no form of its own: its texts, a paragraph each."""
    within = ("child_blocks", "blocks", "tasks", *(["elements"] if block.get("type") == "carousel" else []))
    return "\n\n".join(map(escaped, lines({key: value for key, value in block.items() if key not in within})))


def escaped(text: str) -> str:
    """Plain text as Markdown that shows it, in one paragraph."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace(". ", "\\. ", 1)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _text(node: Any) -> str:
    """A text object, or a string."""
    if isinstance(node, str):
        return escaped(node)
    if not isinstance(node, dict):
        return ""
    text = _string(node.get("text"))
    return mrkdwn(text) if node.get("type") == "mrkdwn" else "  \n".join(map(escaped, text.split("\n")))


def mrkdwn(text: str) -> str:
    """Slack's own markup in Markdown's: bold, struck out, links, whom it names."""
    text = _LINK.sub(lambda found: link(found[1], found[2] or found[1]), text)
    text = _NAMED.sub(lambda found: f"{'#' if found[1] == '#' else '@'}{escaped(found[3] or found[2])}", text)
    return _STRUCK.sub(r"~~\1~~", _BOLD.sub(r"**\1**", text)).replace("\n", "  \n")


def link(url: Any, text: str) -> str:
    """A link where the address is harmless; its text otherwise."""
    return f"[{escaped(text)}]({url})" if isinstance(url, str) and _SAFE_URL.fullmatch(url) else escaped(text)


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


# Types


def _header(block: dict[str, Any]) -> str:
    text = _text(block.get("text"))
    return f"## {text}" if text else ""


def _section(block: dict[str, Any]) -> str:
    fields = block.get("fields")
    return _joined(_text(block.get("text")), *map(_text, fields if isinstance(fields, list) else ()))


def _markdown(block: dict[str, Any]) -> str:
    return _string(block.get("text"))


def _image(block: dict[str, Any]) -> str:
    url, alt = block.get("image_url"), escaped(_string(block.get("alt_text")))
    shown = f"![{alt}]({url})" if isinstance(url, str) and _SAFE_URL.fullmatch(url) else alt
    return _joined(_text(block.get("title")), shown)


def _code(block: dict[str, Any]) -> str:
    language = re.sub(r"[^\w.+#-]", "", _string(block.get("language")))
    return _joined(_text(block.get("title")), fenced(_string(block.get("text")), language))


def fenced(text: str, language: str = "") -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _key_value(block: dict[str, Any]) -> str:
    items = block.get("items")
    pairs = [item for item in (items if isinstance(items, list) else ()) if isinstance(item, dict)]
    rows = [f"- **{escaped(_string(pair.get('key')))}**: {_value(pair)}" for pair in pairs]
    return _joined(_text(block.get("title")), "\n".join(rows))


def _value(pair: dict[str, Any]) -> str:
    value = _string(pair.get("value"))
    return link(pair["url"], value) if "url" in pair else escaped(value)


def _table(block: dict[str, Any]) -> str:
    rows = block.get("rows")
    found = [row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, list)]
    if not found:
        return ""
    width = min(max(map(len, found)), 20)
    if width == 0:
        return ""
    head, *body = (_row(row, width) for row in found[: limits.MARKDOWN_TABLE_CELLS // width])
    return _joined(_text(block.get("caption")), "\n".join([head, "|" + " --- |" * width, *body]))


def _row(cells: list[Any], width: int) -> str:
    texts = [escaped(" ".join(lines(cell))) for cell in cells[:width]]
    return "| " + " | ".join([*texts, *[""] * (width - len(texts))]) + " |"


def _chart(block: dict[str, Any]) -> str:
    """Its numbers: a line for each series or segment."""
    chart = block.get("chart")
    if not isinstance(chart, dict):
        return _other(block)
    series = chart.get("series")
    if not isinstance(series, list):
        return _joined(_text(block.get("title")), "\n".join(f"- {escaped(line)}" for line in lines(chart)))
    rows = [
        f"- **{escaped(_string(each.get('name')))}**: {escaped(', '.join(lines(each.get('data'))))}"
        for each in series
        if isinstance(each, dict)
    ]
    return _joined(_text(block.get("title")), "\n".join(rows))


def _rich_text(block: dict[str, Any]) -> str:
    elements = block.get("elements")
    return _joined(*map(_rich, elements if isinstance(elements, list) else ()))


def _rich(element: Any) -> str:
    if not isinstance(element, dict):
        return ""
    parts = element.get("elements")
    parts = parts if isinstance(parts, list) else []
    match element.get("type"):
        case "rich_text_preformatted":
            return fenced("".join(lines(element)))
        case "rich_text_quote":
            return "> " + "".join(map(_inline, parts)).replace("\n", "\n> ")
        case "rich_text_list":
            mark = "1." if element.get("style") == "ordered" else "-"
            return "\n".join(f"{mark} {_rich(part)}" for part in parts)
    return "".join(map(_inline, parts))


def _inline(element: Any) -> str:
    if not isinstance(element, dict):
        return ""
    text = " ".join(lines({"type": "rich_text_section", "elements": [element]}))
    raw = element.get("text")
    if element.get("type") == "link":
        return link(element.get("url"), text)
    if not isinstance(raw, str):
        return escaped(text)
    return "  \n".join(_styled(part, element.get("style")) for part in raw.split("\n"))


def _styled(text: str, style: Any) -> str:
    core = text.strip()
    if not core:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    marked = escaped(core)
    for name, mark in (("bold", "**"), ("italic", "*"), ("strike", "~~")):
        if isinstance(style, dict) and style.get(name) is True:
            marked = f"{mark}{marked}{mark}"
    return f"{before}{marked}{after}"


_KINDS: Final[Mapping[str, Callable[[dict[str, Any]], str]]] = {
    "divider": lambda _: "---",
    "header": _header, "section": _section, "markdown": _markdown, "image": _image, "code": _code, "table": _table,
    "data_table": _table, "data_visualization": _chart, "rich_text": _rich_text, "key_value": _key_value,
}  # fmt: skip
