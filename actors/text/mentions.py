"""Mentions in a message: `@[Any name](user:<id>)` and `<@id>` exactly, `@name` by name, `@all` for all members. Pure.

Searches prose: a text without its code and the targets of its links. URLs and e-mail addresses mention no one.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from actors import limits
from actors.identifiers import is_id
from actors.text import names
from actors.text.block_text import lines

EVERYONE: Final = "all"
_WIDE: Final = "\uff20\ufe6b"
"""An @ as East Asian keyboards have it, and a small one."""
SIGNS: Final = ("@", *_WIDE)
EXACT: Final = re.compile(rf"[@{_WIDE}]\[[^\[\]\n]{{1,200}}\]\(user:(c[0-9a-z]{{24}})\)|<[@{_WIDE}](c[0-9a-z]{{24}})>")
_SCHEMES: Final = ("://", "www.", "mailto:", "WWW.", "MAILTO:")
_ADDRESS: Final = re.compile(
    r"(?<![a-z0-9+.-])(?:[a-z][a-z0-9+.-]{1,30}://|www\.|mailto:)[^\s<>\"\uff0c\u3002\u3001\uff1b\uff01\uff1f\uff09\u300d\u300f\u3011]*",
    re.IGNORECASE,
)
_HOST_AND_PATH: Final = re.compile(
    r"(?<![\w.@-])(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}(?::[0-9]+)?[/?#][^\s<>\"]*", re.IGNORECASE
)
_CODE_BLOCKS = frozenset({"code", "code_block", "preformatted", "rich_text_preformatted"})


@dataclass(frozen=True, slots=True)
class Mentions:
    ids: frozenset[str] = frozenset()
    names: frozenset[tuple[str, ...]] = frozenset()
    """Each with its candidates, the longest first: see `names`. The first that a member bears is meant."""
    everyone: bool = False

    def __bool__(self) -> bool:
        return bool(self.ids or self.names or self.everyone)

    def __sub__(self, before: "Mentions") -> "Mentions":
        """Those that were not there before."""
        return Mentions(self.ids - before.ids, self.names - before.names, self.everyone and not before.everyone)

    def leaves_out(self, before: "Mentions") -> bool:
        """Whether a user who was named before may be named no more. All are by @all, however many they are by now."""
        return not self.everyone and bool(before - self)


NOBODY: Final = Mentions()
_T = TypeVar("_T")
Prose = Callable[[str], str]
"""Takes Markdown; answers what of it a reader sees as text, without code and the targets of links."""


def may_mention(content: str, blocks: str | None) -> bool:
    """A cheap check: nearly all messages have no mentions."""
    if "@" in content or (blocks is not None and ("@" in blocks or '"user"' in blocks or '"broadcast"' in blocks)):
        return True
    if content.isascii() and (blocks is None or blocks.isascii()):
        return False
    return any(sign in content or (blocks is not None and sign in blocks) for sign in _WIDE)


def mentions(content: str, blocks: str | None, prose: Prose) -> Mentions:
    """The first ones: hundreds of names are a list, not mentions."""
    if not may_mention(content, blocks):
        return NOBODY
    ids: dict[str, None] = {}
    found: dict[tuple[str, ...], None] = {}
    for text in (content, *_lines(blocks)):
        if may_mention(text, None):
            _look(prose(text), ids, found)
    everyone = any(EVERYONE in candidates for candidates in found)
    return Mentions(_some(ids), _some(name for name in found if EVERYONE not in name), everyone)


def _look(text: str, ids: dict[str, None], found: dict[tuple[str, ...], None]) -> None:
    if "](user:" in text or any(f"<{sign}" in text for sign in SIGNS):
        ids |= dict.fromkeys(first or second for first, second in EXACT.findall(text))
        text = EXACT.sub(" ", text)
    for name in dict.fromkeys(_runs(_without_addresses(text))):
        if is_id(id_ := name.lower()):
            ids[id_] = None
        elif sum(map(len, found)) < limits.MENTION_CANDIDATES:
            found[names.candidates(name)] = None


def _some(found: Iterable[_T]) -> frozenset[_T]:
    return frozenset(list(found)[: limits.MENTIONS])


def _without_addresses(text: str) -> str:
    if any(mark in text for mark in _SCHEMES):
        text = _ADDRESS.sub(" ", text)
    if "." in text and ("/" in text or "?" in text or "#" in text):
        text = _HOST_AND_PATH.sub(" ", text)
    return text


def _runs(text: str) -> Iterator[str]:
    """What follows each @ that begins a name."""
    text, at, end = names.plain(text), -1, -1
    for _ in range(limits.MENTION_SIGNS):
        at = text.find("@", at + 1)
        if at < 0:
            return
        found = names.run(text, at + 1)
        if found and (_may_begin(text, at, found) or (at == end + 1 and text[end] in "/+.-")):  # `@ana/@bob`
            yield found
            end = at + 1 + len(found)


def _may_begin(text: str, at: int, found: str) -> bool:
    """Not in an e-mail address, not in a path, and not twice."""
    before = text[at - 1] if at else " "
    if before in "@/":
        return False
    if before in ".+-":
        return at < 2 or not names.is_word(text[at - 2])
    if before == "_":
        rest = text[:at][-limits.HANDLE_CHARS :].rstrip("_")
        return not rest or not names.is_word(rest[-1])
    if names.is_dense(before):
        return "." not in found  # otherwise it is an address with a part of its own script
    return not names.is_word(before)


def _lines(blocks: str | None) -> list[str]:
    """What blocks say, but for code; people in them as Markdown names them."""
    return list(lines(_prose_of(json.loads(blocks)))) if blocks is not None else []


def _prose_of(node: Any) -> Any:
    if isinstance(node, list):
        return [_prose_of(item) for item in node if not _is_code(item)]
    if isinstance(node, dict):
        who = _who(node) if node.get("type") in ("user", "broadcast") else ""
        if who:
            return {"type": "text", "text": f"<@{who}>" if is_id(who) else f" @{who} "}
        return {name: _prose_of(value) for name, value in node.items() if not _is_code(value)}
    return node


def _who(node: dict[str, Any]) -> str:
    """Whom an element of rich text names, by whatever member."""
    return next((value for name, value in node.items() if name != "type" and isinstance(value, str)), "")


def _is_code(node: Any) -> bool:
    if not isinstance(node, dict):
        return False
    kind, style = node.get("type"), node.get("style")
    is_block = isinstance(kind, str) and kind in _CODE_BLOCKS
    return is_block or (isinstance(style, dict) and style.get("code") is True)
