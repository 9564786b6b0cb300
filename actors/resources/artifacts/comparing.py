"""Two versions compared: their contents as a JSON Patch, and texts that changed line by line. Pure, and bounded."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from actors.resources.artifacts import json_patch

LINES: Final = 2_000
"""Of a text that is compared by lines: 0.1 s where every line has moved."""
TEXTS: Final = 100
"""That are compared by lines."""


@dataclass(frozen=True, slots=True)
class TextDiff:
    pointer: str
    """Of the text, in the content."""
    lines: tuple[str, ...]
    """A unified diff with three lines of context, without the names of files."""


@dataclass(frozen=True, slots=True)
class Comparison:
    patch: list[json_patch.Operation]
    texts: tuple[TextDiff, ...]


def compared(before: Any, after: Any) -> Comparison:
    """Takes milliseconds: not for the event loop."""
    patch = json_patch.diff(before, after)
    return Comparison(patch, tuple(_texts(before, patch)))


def _texts(before: Any, patch: list[json_patch.Operation]) -> Iterator[TextDiff]:
    """Operations on lists come from the end to the beginning, so that a replaced text stood where its pointer says."""
    found = 0
    for operation in patch:
        new = operation.get("value")
        if operation["op"] != "replace" or not isinstance(new, str):
            continue
        old = json_patch.at(before, operation["path"])
        if isinstance(old, str) and (shown := _lines(old, new)):
            yield TextDiff(operation["path"], shown)
            found += 1
            if found == TEXTS:
                return


def _lines(old: str, new: str) -> tuple[str, ...]:
    a, b = old.split("\n"), new.split("\n")
    if max(len(a), len(b)) > LINES or len(a) + len(b) == 2:
        return ()
    return tuple(difflib.unified_diff(a, b, lineterm=""))[2:]
