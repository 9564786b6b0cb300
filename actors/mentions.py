"""Whom a message names: `@[Any name](user:<id>)` and `<@id>` exactly, `@name` by name, `@all` everybody. Pure.

Text in code says nothing to anybody. A name is compared without regard to case, with a member's name without its
spaces or with what stands before the @ of their e-mail address.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from actors import limits
from actors.block_text import missing_lines
from actors.identifiers import is_id

EVERYONE: Final = "all"
_FENCE = re.compile(r" {0,3}(```+(?=[^`]*$)|~~~+)")
_TICKS = re.compile(r"`+")
_EXACT = re.compile(r"@\[[^\[\]\n]{1,200}\]\(user:(c[0-9a-z]{24})\)|<@(c[0-9a-z]{24})>")
_NAME = re.compile(r"(?<![\w@./+-])@(\w[\w.+-]{0,63})")
"""Not in an e-mail address, and not in a path."""
_CODE_BLOCKS = frozenset({"code", "code_block", "preformatted", "rich_text_preformatted"})


@dataclass(frozen=True, slots=True)
class Mentions:
    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    """Comparable: see `handles`."""
    everyone: bool = False

    def __bool__(self) -> bool:
        return bool(self.ids or self.names or self.everyone)

    def __sub__(self, before: "Mentions") -> "Mentions":
        """Those that were not there before."""
        return Mentions(self.ids - before.ids, self.names - before.names, self.everyone and not before.everyone)


NOBODY: Final = Mentions()


def may_mention(content: str, blocks: str | None) -> bool:
    """Whether it is worth looking: nearly all messages name nobody."""
    return "@" in content or (blocks is not None and ("@" in blocks or '"user"' in blocks or '"broadcast"' in blocks))


def mentions(content: str, blocks: str | None) -> Mentions:
    """The first of them: who names hundreds means nobody."""
    if not may_mention(content, blocks):
        return NOBODY
    ids: dict[str, None] = {}
    names: dict[str, None] = {}
    for text in (content, *_lines(blocks)):
        plain = without_code(text)
        ids |= dict.fromkeys(first or second for first, second in _EXACT.findall(plain))
        for name in _NAME.findall(_EXACT.sub(" ", plain)):
            comparable = name.rstrip(".-+").casefold()
            (ids if is_id(comparable) else names)[comparable] = None
    everyone = EVERYONE in names
    names.pop(EVERYONE, None)
    return Mentions(_some(ids), _some(names), everyone)


def _some(found: Iterable[str]) -> frozenset[str]:
    return frozenset(list(found)[: limits.MENTIONS])


def without_code(text: str) -> str:
    """Markdown without its code. In linear time: a message is made by anybody."""
    if "`" not in text and "~~~" not in text:
        return text
    return _without_spans("\n".join(_without_fences(text.split("\n"))))


def _without_fences(lines: Iterable[str]) -> Iterator[str]:
    fence = ""
    for line in lines:
        if fence:
            end = line.strip()
            if end.startswith(fence) and not end.strip(fence[0]):
                fence = ""
            continue
        found = _FENCE.match(line)
        if found is None:
            yield line
        else:
            fence = found[1]


def _without_spans(text: str) -> str:
    """A span lasts from a run of backticks to the next one of the same length; where there is none it is no span."""
    runs = [match.span() for match in _TICKS.finditer(text)]
    following: dict[int, int] = {}
    ends: list[int | None] = [None] * len(runs)
    for index in range(len(runs) - 1, -1, -1):
        length = runs[index][1] - runs[index][0]
        ends[index] = following.get(length)
        following[length] = index
    kept, place, index = [], 0, 0
    while index < len(runs):
        end = ends[index]
        if end is not None:
            kept.append(text[place : runs[index][0]])
            place = runs[end][1]
            index = end
        index += 1
    return " ".join([*kept, text[place:]])


def _lines(blocks: str | None) -> list[str]:
    """What blocks say, but for code."""
    return missing_lines("", json.dumps(_without_code(json.loads(blocks)))) if blocks is not None else []


def _without_code(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_code(item) for item in node if not _is_code(item)]
    if isinstance(node, dict):
        return {name: _without_code(value) for name, value in node.items() if not _is_code(value)}
    return node


def _is_code(node: Any) -> bool:
    if not isinstance(node, dict):
        return False
    kind, style = node.get("type"), node.get("style")
    is_block = isinstance(kind, str) and kind in _CODE_BLOCKS
    return is_block or (isinstance(style, dict) and style.get("code") is True)


def handles(name: str, email: str) -> tuple[str, str]:
    """By what `@name` finds somebody."""
    return "".join(name.split()).casefold(), email.partition("@")[0].casefold()
