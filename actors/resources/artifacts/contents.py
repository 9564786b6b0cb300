"""The content of an artifact: what its type asks of it, its text, and its packed form. Pure.

A content is an object of fields that its type has (`bodies.json`), or a Markdown text. Its packed form is what the
store keeps: JSON compressed by zlib, named by the SHA-256 of the JSON.
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final

from actors import limits
from actors.errors import TooLarge, ValidationFailed
from actors.resources.artifacts.artifact import ArtifactType
from actors.resources.blocks import offers, validation
from actors.resources.blocks.checks import compiled
from actors.resources.blocks.faults import At, Check, Fault, Faults
from actors.resources.blocks.json_fields import is_shallow
from actors.resources.blocks.profile import Profile
from actors.text.block_text import lines
from actors.text.folding import fold

_SHAPES: Final[Mapping[ArtifactType, str]] = {
    "INSIGHT": "insight", "REPORT": "report", "DASHBOARD": "dashboard", "PDF": "pdf", "REFERENCE": "reference",
}  # fmt: skip
_WORDS: Final = frozenset({
    "abstract", "alt_text", "caption", "citation", "columns", "excerpt", "note", "publisher", "rows", "summary", "text",
    "title", "authors", "value",
})  # fmt: skip
"""Fields that hold text for a reader."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a reader sees, as the search indexes have it."""

    folded: str
    """For lists of artifacts."""
    excerpt: str
    """The beginning, as it is written: what a search among messages looks at."""
    folded_excerpt: str


@dataclass(frozen=True, slots=True)
class Packed:
    digest: str
    """SHA-256 of the JSON."""
    size: int
    """Bytes of the JSON."""
    data: bytes
    words: Words
    deadlines: Mapping[str, int] = field(default_factory=dict)
    """Of its forms; see `offers.deadlines`."""


@cache
def profile() -> Profile:
    """Shapes of bodies, in the form of a profile of blocks."""
    found = json.loads(resources.files(__package__).joinpath("bodies.json").read_bytes())
    return Profile(found["name"], found["about"], 0, 0, found["families"], found["shapes"])


@cache
def _checks() -> Mapping[str, Check]:
    return compiled(profile())


def faults(kind: ArtifactType, content: Any) -> tuple[Fault, ...]:
    """What is wrong with a content, up to `limits.FIELD_ERRORS` faults."""
    found = Faults(limits.FIELD_ERRORS)
    if isinstance(content, str):
        _check_text(content, found)
    elif not isinstance(content, dict):
        found.add_type(None, "an object, or a Markdown text", content)
    elif is_shallow(content, None, found):
        _checks()[_SHAPES[kind]](content, None, found)
        for rule in _RULES:
            rule(content, found)
    return tuple(found.found)


def must_be_valid(kind: ArtifactType, content: Any) -> None:
    """Raises `ValidationFailed` with every fault."""
    errors: dict[str, list[str]] = {}
    for fault in faults(kind, content):
        errors.setdefault(".".join(filter(None, ("content", fault.path))), []).append(fault.sentence)
    if errors:
        raise ValidationFailed(errors)


def packed(kind: ArtifactType, content: Any) -> Packed:
    """Checked and packed. Raises `ValidationFailed`, and `TooLarge`. Takes milliseconds: not for the event loop."""
    must_be_valid(kind, content)
    encoded = encode(content)
    if len(encoded) > limits.ARTIFACT_BYTES:
        raise TooLarge("The content of an artifact", limits.ARTIFACT_BYTES, len(encoded))
    data = zlib.compress(encoded)
    return Packed(hashlib.sha256(encoded).hexdigest(), len(encoded), data, words(content), deadlines(content))


def deadlines(content: Any) -> dict[str, int]:
    """Of the forms among its blocks; see `offers.deadlines`."""
    return offers.deadlines(content.get("blocks")) if isinstance(content, dict) else {}


def encode(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def unpacked(data: bytes) -> str:
    """The JSON text."""
    return zlib.decompress(data).decode()


def words(content: Any) -> Words:
    """Up to 0.3 s, and not in the journal. A character may become eighteen when it is folded; an index gets no more
    than an ordinary content has."""
    text = "\n".join(texts(content))
    excerpt = text[: limits.SEARCH_FILE_CHARS]
    return Words(fold(text)[: limits.SEARCH_FILE_WORDS], excerpt, fold(excerpt)[: limits.SEARCH_FILE_WORDS])


def texts(content: Any) -> Iterator[str]:
    """What a reader sees, in order."""
    return _texts(content, shown=isinstance(content, str))


def _texts(value: Any, *, shown: bool) -> Iterator[str]:
    if isinstance(value, str):
        if shown and value:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, shown=shown)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "blocks":
                yield from lines(inner)
            elif name != "spec":
                yield from _texts(inner, shown=name in _WORDS)


# Over several fields


def _check_text(text: str, found: Faults) -> None:
    most = limits.CONTENT_BYTES
    if len(text) > most:
        found.add(None, "too_long", f"at most {most} characters", limit=most, actual=len(text))
    if "\x00" in text:
        found.add(None, "wrong_format", "a text without NUL characters", actual="one with them")


def _parts(content: dict[str, Any]) -> Iterator[tuple[dict[str, Any], At]]:
    """Sections and panels."""
    for name in ("sections", "panels"):
        for index, part in enumerate(_list(content.get(name))):
            if isinstance(part, dict):
                yield part, ((None, name), index)


def _distinct_ids(content: dict[str, Any], found: Faults) -> None:
    seen: set[str] = set()
    for part, at in _parts(content):
        if isinstance(name := part.get("id"), str):
            if name in seen:
                found.add((at, "id"), "duplicate", "an id that nothing else here has", actual=repr(name[:100]))
            seen.add(name)


def _even_rows(content: dict[str, Any], found: Faults) -> None:
    for part, at in _parts(content):
        width = len(_list(part.get("columns")))
        for index, row in enumerate(_list(part.get("rows"))):
            if width and isinstance(row, list) and len(row) != width:
                where = ((at, "rows"), index)
                found.add(where, "ragged", f"{width} cells, one for each column", limit=width, actual=len(row))


def _within_grid(content: dict[str, Any], found: Faults) -> None:
    columns = content.get("columns", 12)
    for part, at in _parts(content):
        place = part.get("grid")
        if not isinstance(place, dict) or not isinstance(columns, int):
            continue
        left, width = place.get("x"), place.get("w")
        if isinstance(left, int) and isinstance(width, int) and left + width > columns:
            expected = f"a panel that ends at column {columns} at most"
            found.add(((at, "grid"), "w"), "too_large", expected, limit=columns, actual=left + width)


def _valid_blocks(content: dict[str, Any], found: Faults) -> None:
    """As those of a message, by the same profile."""
    if isinstance(blocks := content.get("blocks"), list):
        found.include(validation.faults(blocks), (None, "blocks"))


def _without_nul(content: dict[str, Any], found: Faults) -> None:
    if "\\u0000" not in json.dumps(content):  # twenty times as fast as the walk, which says where
        return
    for at in _with_nul(content, None):
        found.add(at, "wrong_format", "a text without NUL characters", actual="one with them")


def _with_nul(value: Any, at: At) -> Iterator[At]:
    if isinstance(value, str):
        if "\x00" in value:
            yield at
    elif isinstance(value, list | dict):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(key, str) and "\x00" in key:
                yield (at, key)
            yield from _with_nul(inner, (at, key))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_RULES: Final[tuple[Callable[[dict[str, Any], Faults], None], ...]] = (
    _distinct_ids, _even_rows, _within_grid, _valid_blocks, _without_nul,
)  # fmt: skip
