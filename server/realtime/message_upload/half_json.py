"""JSON with halves of surrogate pairs: a model may end a piece of its answer within a character (`"\\ud83d"`).

orjson refuses it, as texts in Unicode have no halves. Only the pieces of a message that is being written may have them;
the thread's actor joins them. See `actors.streaming.joined`.
"""

import json
from typing import Any

import orjson

from server.http import exact_json


def parse(raw: bytes | str) -> Any:
    """Raises `ValueError` for what is no JSON."""
    if "\\u" not in (raw if isinstance(raw, str) else raw.decode(errors="replace")):
        raise ValueError("without halves it is no JSON either")
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


def piece(raw: bytes | str) -> dict[str, Any] | None:
    """An object whose member `text` alone may have halves; None for anything else."""
    try:
        found = parse(raw)
    except ValueError:
        return None
    return found if is_piece(found) else None


def is_piece(value: Any) -> bool:
    return isinstance(value, dict) and is_whole({name: inner for name, inner in value.items() if name != "text"})


def is_whole(value: Any) -> bool:
    """Whether there is no half in it, nor anything else that cannot be kept."""
    try:
        exact_json.parse(orjson.dumps(value))
    except (TypeError, exact_json.Inexact):
        return False
    return True


def _no_constant(name: str) -> Any:
    raise ValueError(name)
