"""JSON that is kept as it came, or refused: numbers and names that the parser would change in silence.

orjson makes a float of an integer beyond 64 bits, and of two members with the same name in one object it keeps the
last one. Both are rare, so what it made is looked at first: only where it may have done so the text is read again.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import orjson

_LARGE: Final = 2.0**63
"""An integer that became a float is at least as large, or as small below zero."""


class Inexact(Exception):
    """It cannot be kept as it came; the sentence says why. A sender who tries again gets the same."""


def parse(raw: bytes | str) -> Any:
    """Raises `orjson.JSONDecodeError` for what is no JSON, and `Inexact`."""
    value = orjson.loads(raw)
    must_be_exact(raw, value)
    return value


def must_be_exact(raw: bytes | str, value: Any) -> None:
    """`value` is what orjson made of it. Raises `Inexact`."""
    members, has_large = _look(value)
    colons = raw.count(b":") if isinstance(raw, bytes) else raw.count(":")
    if colons == members and not has_large:  # each member has a colon, and no text has one
        return
    try:
        again = json.loads(raw, object_pairs_hook=_object)  # integers of any size
        if has_large:
            orjson.dumps(again)
    except (orjson.JSONEncodeError, RecursionError) as error:
        if "64-bit" in str(error):  # otherwise it is nested too deep: its field has a limit of its own, and says so
            raise Inexact("integers have at most 64 bits here; send a larger one as text") from None


def _look(value: Any) -> tuple[int, bool]:
    """How many members all objects in it have; and whether a number may have been a large integer."""
    members, has_large, waiting = 0, False, [value]
    while waiting:
        node = waiting.pop()
        if type(node) is dict:
            members += len(node)
            node = node.values()
        elif type(node) is not list:
            node = (node,)
        for inner in node:
            kind = type(inner)
            if kind is dict or kind is list:
                waiting.append(inner)
            elif kind is float and not -_LARGE < inner < _LARGE:
                has_large = True
    return members, has_large


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Inexact(f"an object has each member once; {name[:100]!r} comes twice")
        found[name] = value
    return found
