"""What of Markdown is prose: what a reader sees as text, without code and the targets of links. By CommonMark.

HTML in it is Markdown, too: its comments, attributes and code are no prose.

Most messages have no sign of code or of a link, and are not parsed. Parsing takes 1 µs for most signs, 10 µs for lines
and brackets, whatever their order: a message with more than `limits.MARKDOWN_SIGNS` of them is read line by line, in
the time of a few searches.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from actors import limits
from actors.text.mentions import EXACT, SIGNS

_MARKUP: Final = ("`", "~~~", "](", "]:", "][", "    ", "\t")
"""Without these, and without a tag, there is neither code nor a link with a target of its own."""
_TAG: Final = re.compile("<[a-zA-Z!?/]")
_SIGNS: Final = b"\n!#$%&*+-:<=>@[\\]^_`{}~"
"""Where the parser stops to look."""
_COSTLY: Final = "\n`[!<\\"
"""Where it looks ten times as long."""
_USER: Final = re.compile(r"user:(c[0-9a-z]{24})")
_parser: Final = MarkdownIt("zero", {"html": True, "maxNesting": 20}).enable([
    "code", "fence", "blockquote", "hr", "list", "reference", "heading", "lheading",
    "newline", "escape", "backticks", "link", "image", "autolink", "html_block", "html_inline",
])  # fmt: skip
"""Without what changes neither what is code nor what is a link."""


def prose(text: str) -> str:
    text = text.removeprefix("\ufeff")  # no character of the first line
    if not _has_markup(EXACT.sub(" ", text) if "](user:" in text else text):
        return text
    if not _is_short(text):
        return _line_by_line(text)
    return "\n".join(_of_block(token) for token in _parser.parse(text) if token.type in ("inline", "html_block"))


def _has_markup(text: str) -> bool:
    return any(sign in text for sign in _MARKUP) or ("<" in text and _TAG.search(text) is not None)


def _is_short(text: str) -> bool:
    """Whether it is parsed in some milliseconds, whatever it says."""
    if len(text) > limits.MARKDOWN_CHARS:
        return False
    raw = text.encode()
    if text.count("<!") + text.count("<?") > limits.MARKDOWN_DECLARATIONS:
        return False
    signs = len(raw) - len(raw.translate(None, _SIGNS))
    return signs + 9 * sum(map(text.count, _COSTLY)) <= limits.MARKDOWN_SIGNS


def _of_block(token: Token) -> str:
    if token.type == "html_block":
        return _without_html(token.content, is_block=True)
    return _said(_shown(token.children or ()))


def _shown(tokens: Iterable[Token]) -> Iterator[Token]:
    """Without what an element of HTML shows as code."""
    end = ""
    for token in tokens:
        if token.type == "html_inline":
            tag = token.content.translate(_LOWER)
            if end:
                end = "" if tag.startswith(end) else end
            elif found := _HIDING.match(tag):
                end = f"</{found[2]}" if found[2] else ""
        if not end:
            yield token


def _said(tokens: Iterable[Token]) -> str:
    """Of one paragraph. Code is a space, and so is the end of a link: no name goes on after it."""
    said, skipped = "", 0
    for token in tokens:
        if token.type == "link_open" and not skipped:
            user = _USER.fullmatch(str(token.attrs.get("href")))
            if user is not None and said.endswith(SIGNS):
                said = f"{said[:-1]}<@{user[1]}>"
                skipped = 1
            elif token.markup == "autolink":
                skipped = 1
        elif token.type == "link_close":
            skipped = 0
            said += " "
        elif not skipped:
            said += token.content if token.type == "text" else "\n" if token.type.endswith("break") else " "
    return said


# Line by line

_FENCE: Final = re.compile(r"(?:[\s>]|[-*+][ \t]|[0-9]{1,9}[.)][ \t])*+(```+(?=[^`]*$)|~~~+)")
"""Also in a quote or a list, however deep."""
_ITEM: Final = re.compile(r"[\s>]*+(?:[-*+]|[0-9]{1,9}[.)])\s")
_INDENTED: Final = re.compile(r" {4}| {0,3}\t")
_TICKS: Final = re.compile(r"`+")
_TARGET: Final = re.compile(r"\]\([^()\s]*(?:\s[^()\n]*)?\)")


def _line_by_line(text: str) -> str:
    """Nearly the same, for a text that is too long to be parsed: where in doubt it is code, so that none notifies."""
    said = _without_html(_without_spans("\n".join(_without_blocks(text.split("\n")))))
    return _TARGET.sub("] ", EXACT.sub(lambda exact: f"<@{exact[1] or exact[2]}>", said))


def _without_blocks(lines: Iterable[str]) -> Iterator[str]:
    fence, in_list, after_blank = "", False, True
    for line in lines:
        if fence:
            end = line.strip(" \t>")
            if end.startswith(fence) and not end.strip(fence[0]):
                fence = ""
            continue
        found = _FENCE.match(line)
        if found is not None:
            fence = found[1]
        elif in_list or not after_blank or not _INDENTED.match(line):
            yield line
            is_blank = not line.strip()
            in_list = bool(_ITEM.match(line)) or (in_list and (is_blank or line[0] in " \t>" or not after_blank))
            after_blank = is_blank


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


# HTML

_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
"""Of tags. Other letters may become two."""
_HIDING: Final = re.compile(r"<(?:(!--)|(code|pre|kbd|samp|script|style|textarea)(?=[\s/>]))")
_ANY_TAG: Final = re.compile(r"<[a-zA-Z/!?][^<>]*>")


def _without_html(text: str, *, is_block: bool = False) -> str:
    """Without tags, comments and code. A block of HTML is hidden to its end by what does not end."""
    if "<" not in text:
        return text
    lower, kept, place = text.translate(_LOWER), [], 0
    endless: set[str] = set()
    for found in _HIDING.finditer(lower):
        end = "-->" if found[1] else f"</{found[2]}>"
        if found.start() < place or end in endless:
            continue
        at = lower.find(end, found.end())
        if at < 0 and not is_block:
            endless.add(end)
            continue
        kept.append(text[place : found.start()])
        place = at + len(end) if at >= 0 else len(text)
    return _ANY_TAG.sub(" ", " ".join([*kept, text[place:]]))
