"""Two versions compared: their contents as a JSON Patch, and texts that changed line by line. Pure, and bounded."""

import difflib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from actors.resources.artifacts import json_diff, json_patch

LINES: Final = 2_000
"""Of a text that is compared by lines: 0.1 s where every line has moved."""
TEXTS: Final = 100
"""That are compared by lines."""
STEPS: Final = 20_000_000
"""Of all texts together, half a second at the worst: pairs of equal lines, for each line that may be matched. Equal
lines in great number would take minutes; a text of 200 lines, half of them empty, takes two millions."""


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
    patch = json_diff.diff(before, after)
    return Comparison(patch, tuple(_texts(before, patch)))


def _texts(before: Any, patch: list[json_patch.Operation]) -> Iterator[TextDiff]:
    """Operations on lists come from the end to the beginning, so that a replaced text stood where its pointer says."""
    found, steps = 0, 0
    for operation in patch:
        new = operation.get("value")
        if operation["op"] != "replace" or not isinstance(new, str):
            continue
        old = json_patch.at(before, operation["path"])
        if not isinstance(old, str) or (pair := _comparable(old, new)) is None:
            continue
        steps += _steps(*pair)
        if steps > STEPS:
            return
        yield TextDiff(operation["path"], tuple(difflib.unified_diff(*pair, lineterm=""))[2:])
        found += 1
        if found == TEXTS:
            return


def _comparable(old: str, new: str) -> tuple[list[str], list[str]] | None:
    a, b = old.split("\n"), new.split("\n")
    return None if max(len(a), len(b)) > LINES or len(a) + len(b) == 2 else (a, b)


def _steps(a: list[str], b: list[str]) -> int:
    """At most; difflib itself does not match what is a hundredth of a text of 200 lines or more, as empty lines are."""
    counted = Counter(b)
    most = len(b) // 100 + 1 if len(b) >= 200 else len(b)
    return sum(counted[line] for line in a if counted[line] <= most) * min(len(a), len(b))
