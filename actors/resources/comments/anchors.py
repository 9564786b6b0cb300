"""What a comment is about, and where that is in another version. Pure.

An anchor is a place of a content, by JSON pointer, or a range of a text there. It holds for the version that it was
made about, whose content is kept. In another version it is found by comparing both along the way to the place: items of
a list that were moved are followed, and a range moves with the text around it. What is gone has no place; should a
later version have it again, so has the anchor.
"""

import re
from dataclasses import dataclass
from typing import Any

from actors import limits
from actors.errors import ValidationFailed
from actors.resources.artifacts import json_diff, json_patch
from actors.resources.comments import passages
from actors.resources.comments.passages import Region

Tokens = tuple[str | int, ...]
Changes = list[tuple[int, list[Any], list[Any]]]
"""(index, items that gave way, items that took their place)."""
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Anchor:
    pointer: str
    start: int | None = None
    """Of a range: its first character, counted in code points from 0; None: the value as a whole."""
    end: int | None = None
    """The character after the last one."""
    quote: str = ""
    """The text of the range."""
    before: str = ""
    after: str = ""
    """What stands around it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Of an anchor, in the newest version."""

    pointer: str
    start: int | None
    end: int | None
    text: str | None
    """Of the range, as it is now."""


# Made


def made(content: Any, pointer: str, start: int | None, end: int | None, quote: str | None) -> Anchor:
    """Raises `ValidationFailed` where the content has no such place, or another text there than `quote`."""
    text = value(content, pointer, "anchor.pointer")
    if start is None or end is None:
        return Anchor(pointer)
    if not isinstance(text, str):
        raise _fault("pointer", f"expected the place of a text for a range; {pointer!r} has none.")
    if not 0 <= start < end <= len(text):
        raise _fault("end", f"expected a range within {len(text)} characters; got {start} to {end}.")
    if end - start > limits.COMMENT_QUOTE_CHARS:
        raise _fault("end", f"may be at most {limits.COMMENT_QUOTE_CHARS} characters, these are {end - start}.")
    if quote is not None and text[start:end] != quote:
        raise _fault("quote", "expected the text of the range; this version has another one there.")
    around = limits.COMMENT_CONTEXT_CHARS
    before, after = text[max(0, start - around) : start], text[end : end + around]
    return Anchor(pointer, start, end, text[start:end], before, after)


def value(content: Any, pointer: str, field: str) -> Any:
    """What stands there. Raises `ValidationFailed`, about the field that names it, where there is nothing."""
    for token in _tokens(pointer):
        try:
            content = content[_key(content, token)]
        except (KeyError, IndexError):
            raise ValidationFailed({field: [f"there is nothing at {pointer!r} in this version."]}) from None
    return content


def _fault(name: str, sentence: str) -> ValidationFailed:
    return ValidationFailed({f"anchor.{name}": [sentence]})


def _tokens(pointer: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def _key(holder: Any, token: str) -> Any:
    """Raises `KeyError` where a list has no such index, and of what holds nothing."""
    if isinstance(holder, dict):
        return token
    if not isinstance(holder, list) or _INDEX.fullmatch(token) is None:
        raise KeyError(token)
    return int(token)


# Found


class Comparison:
    """Of the content that anchors were made about with the newest one. What was compared for one anchor is not compared
    again for the next: a page of them costs what the contents do."""

    def __init__(self, base: Any, newest: Any) -> None:
        self._base = base
        self._newest = newest
        self._lists: dict[Tokens, Changes] = {}
        """Place of a list in the older content → what of it was changed."""
        self._texts: dict[Tokens, list[Region]] = {}

    def found(self, anchor: Anchor) -> Place | None:
        """Where it is in the newest content; None where it is gone."""
        way = self._followed(_tokens(anchor.pointer))
        if way is None:
            return None
        was, tokens, before, after = way
        pointer = json_patch.pointer([str(token) for token in tokens])
        if anchor.start is None or anchor.end is None:
            return Place(pointer, None, None, None)
        if not isinstance(before, str) or not isinstance(after, str):
            return None
        span = passages.moved(self._changes(was, before, after), anchor.start, anchor.end)
        span = span or passages.quoted(after, anchor.quote, anchor.before, anchor.after)
        return Place(pointer, *span, after[slice(*span)]) if span else None

    def _followed(self, tokens: list[str]) -> tuple[Tokens, Tokens, Any, Any] | None:
        """(the place in the older content, that in the newest, what was there, what is there now)."""
        before, after = self._base, self._newest
        was: Tokens = ()
        place: Tokens = ()
        for token in tokens:
            old = _key(before, token)
            new = self._same_place(was, before, after, old)
            if new is None:
                return None
            before, after = before[old], after[new]
            was, place = (*was, old), (*place, new)
        return was, place, before, after

    def _same_place(self, was: Tokens, before: Any, after: Any, key: Any) -> Any:
        if isinstance(before, dict) and isinstance(after, dict):
            return key if key in after else None
        if isinstance(before, list) and isinstance(after, list):
            changes = self._lists.get(was)
            if changes is None:
                changes = self._lists[was] = json_diff.replaced(before, after)
            return _index(changes, before[key], key)
        return None

    def _changes(self, was: Tokens, before: str, after: str) -> list[Region]:
        changes = self._texts.get(was)
        if changes is None:
            changes = self._texts[was] = passages.changes(before, after)
        return changes


def _index(changes: Changes, item: Any, index: int) -> int | None:
    """Where the item is that was at `index`."""
    shift = 0
    for start, gone, come in changes:
        if index < start:
            break
        if index < start + len(gone):
            moved = _elsewhere(changes, item)
            return _revised(gone, come, index - start, start + shift) if moved is None else moved
        shift += len(come) - len(gone)
    return index + shift


def _elsewhere(changes: Changes, item: Any) -> int | None:
    """Where an item was moved to: the only one that is equal, or that has the same id."""
    shift, equal, alike = 0, [], []
    for start, gone, come in changes:
        for at, other in enumerate(come, start + shift):
            if json_diff.same(item, other):
                equal.append(at)
            elif _has_same_id(item, other):
                alike.append(at)
        shift += len(come) - len(gone)
    return next((some[0] for some in (equal, alike) if len(some) == 1), None)


def _has_same_id(one: Any, other: Any) -> bool:
    both = isinstance(one, dict) and isinstance(other, dict) and one.get("id") is not None
    return both and json_diff.same(one["id"], other.get("id"))


def _revised(gone: list[Any], come: list[Any], index: int, start: int) -> int | None:
    """The item in its place, where as many of the same kind took the place of these."""
    if len(gone) != len(come):
        return None
    old, new = gone[index], come[index]
    if isinstance(old, dict) and isinstance(new, dict):
        is_kept = all(json_diff.same(old.get(name), new.get(name)) for name in ("id", "type"))
        return start + index if is_kept else None
    return start + index if type(old) is type(new) else None
