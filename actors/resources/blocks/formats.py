"""Formats of texts in blocks: whether a text has one, and what is expected of it."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from actors.identifiers import is_id
from actors.text import pattern

_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{3,8}")


def _is_date(value: str) -> bool:
    try:
        return len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_pattern(value: str) -> bool:
    try:
        return bool(pattern.compiled(value))
    except pattern.PatternProblem:
        return False


def _is_instant(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


FORMATS: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "date": (_is_date, "a date as YYYY-MM-DD"),
    "time": (_TIME.fullmatch, "a time as HH:mm"),
    "instant": (_is_instant, "a time as 2026-11-23T07:00:00.000Z"),
    "number": (_NUMBER.fullmatch, "a number as text, such as '1.5'"),
    "pattern": (_is_pattern, "a pattern without references and looking around, of at most 100 places"),
    "color": (_COLOR.fullmatch, "a colour as #rrggbb"),
    "name": (_NAME.fullmatch, "a name of a-z, 0-9, _ and -"),
    "id": (is_id, "an id: 'c' and 24 characters of a-z and 0-9"),
}
