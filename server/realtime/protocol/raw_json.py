"""The text of one value within a JSON text, as it was written: numbers, spaces, order and escapes included. Pure."""

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed does not have it
from typing import Any

_after_spaces = re.compile(r"[ \t\n\r]*").match


def _no_number(text: str) -> int:
    """Their values are of no interest, and to make one of 5,000 digits takes long."""
    return 0


_decoder: Any = json.JSONDecoder(strict=False, parse_int=_no_number, parse_float=_no_number)
_scan = _decoder.scan_once


def member(text: str, *path: str) -> str:
    """The value at a path of names, from an object that is known to be JSON and to have it. Where a name is repeated
    the last one counts, as parsers have it. Raises `RecursionError` where it is nested more than some 900 levels deep.
    """
    start, end = _skip_spaces(text, 0), len(text)
    for name in path:
        start, end = _span(text, start, name)
    return text[start:end]


def _span(text: str, start: int, wanted: str) -> tuple[int, int]:
    """Of a member of the object that begins at `start`."""
    found: tuple[int, int] | None = None
    index = start
    while text[index] != "}":
        name, index = scanstring(text, _skip_spaces(text, index + 1) + 1, False)
        begin = _skip_spaces(text, _skip_spaces(text, index) + 1)  # past the colon
        _, end = _scan(text, begin)
        if name == wanted:
            found = begin, end
        index = _skip_spaces(text, end)
    if found is None:
        raise KeyError(wanted)
    return found


def _skip_spaces(text: str, index: int) -> int:
    match = _after_spaces(text, index)
    assert match is not None
    return match.end()
