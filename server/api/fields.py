"""What all requests and responses share: strictness, and the field types that carry limits."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from actors import limits
from actors.identifiers import is_id
from actors.resources.blocks import fitting, validation
from actors.text.normal import EMPTY, UNSEEN, is_blank, unseen


class Request(BaseModel):
    """Path, query and body parameters of an operation in one object. Unknown fields are an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # built when first used: a quicker start
    in_query: ClassVar[frozenset[str]] = frozenset()
    """Parameters that come with the query where the others come as a body."""
    takes_halves: ClassVar[bool] = False
    """Whether its `text` may have halves of surrogate pairs."""
    wrapped: ClassVar[Mapping[str, str]] = {}
    """Media type → the field that a body of this type is as a whole."""


class View(BaseModel):
    """A resource as clients see it."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


def _cuid(text: str) -> str:
    if not is_id(text):
        raise ValueError("expected an id: 'c' and 24 characters of a-z and 0-9")
    return text


def _max_bytes(limit: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text) * 4 > limit and (size := len(text.encode())) > limit:
            raise ValueError(f"may be at most {limit} bytes of UTF-8, this has {size}")
        return text

    return AfterValidator(check)


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("may not contain NUL characters")
    return text


NoNul = AfterValidator(_without_nul)


def _line_to_be_seen(value: str) -> str:
    if (found := unseen(value)) is not None:
        raise ValueError(f"may not contain invisible characters; it has {found}")
    if value and is_blank(value):
        raise ValueError("expected visible text")
    return value


Seen = AfterValidator(_line_to_be_seen)
"""A line for people: of visible characters; it may be empty where its length may be 0."""


def _depth(value: Any, left: int = limits.JSON_DEPTH) -> None:
    """On the event loop: a call for each of 100,000 cells would take 30 ms."""
    if not isinstance(value, dict | list):
        return
    if left == 0:
        raise ValueError(f"may be nested at most {limits.JSON_DEPTH} levels deep")
    for inner in value.values() if isinstance(value, dict) else value:
        if type(inner) is dict or type(inner) is list:
            _depth(inner, left - 1)


def json_shallow(value: Any) -> Any:
    """The value, where it is nested no deeper than what is stored."""
    _depth(value)
    return value


Shallow = BeforeValidator(json_shallow)
"""JSON that is nested no deeper than what can be stored."""


def _json_text(value: Any, limit: int) -> str:
    _depth(value)
    text = orjson.dumps(value)
    if len(text) > limit:
        raise ValueError(f"may be at most {limit} bytes as JSON, this has {len(text)}")
    return text.decode()


def json_object(limit: int) -> BeforeValidator:
    """An object of at most `limit` bytes as JSON; becomes its text."""

    def check(value: Any) -> str:
        if not isinstance(value, dict):
            raise ValueError("expected an object")
        return _json_text(value, limit)

    return BeforeValidator(check)


class Fitted(str):
    """Blocks as JSON text, and what was changed to make them fit."""

    __slots__ = ("changes",)
    changes: tuple[fitting.Change, ...]


def _fitted(value: Any, info: ValidationInfo) -> str | None:
    """By the field `fit`, which is declared before the blocks."""
    fit: fitting.Fit = info.data.get("fit", "reject")
    if value is None or fit == "reject":
        return None if value is None else blocks_text(value)
    json_shallow(value)
    blocks, changes = fitting.fitted(value, fit)
    text = Fitted(blocks_text(blocks))
    text.changes = changes
    return text


def as_sent(blocks: str | None) -> str | None:
    """The text alone, as commands and orjson take it."""
    return str(blocks) if isinstance(blocks, Fitted) else blocks


def changes_of(blocks: str | None) -> dict[str, Any]:
    """For `metadata`, what was changed."""
    if not isinstance(blocks, Fitted):
        return {}
    return {"fitted": [asdict(change) for change in blocks.changes]}


def blocks_text(value: Any) -> str:
    """Valid blocks as JSON text; raises what `field_errors` reads every fault from."""
    if found := validation.faults(value):
        raise PydanticCustomError("blocks_invalid", "invalid blocks", {"faults": found})
    text = orjson.dumps(value)
    if len(text) > limits.BLOCKS_BYTES:
        raise ValueError(f"may be at most {limits.BLOCKS_BYTES} bytes as JSON, this has {len(text)}")
    return text.decode()


def _milliseconds(value: Any) -> int:
    """A date alone is its midnight, UTC."""
    expected = "expected a date, or a time with its zone, such as 2026-11-23T07:00:00Z"
    if not isinstance(value, str):
        raise ValueError(expected)
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(expected) from None
    if time.tzinfo is None:
        if len(value) > len("2026-11-23"):
            raise ValueError(expected)
        time = time.replace(tzinfo=UTC)
    return round(time.timestamp() * 1000)


Moment = Annotated[
    Any,
    BeforeValidator(_milliseconds),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]
Query = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=limits.SEARCH_CHARS),
    NoNul,
    Field(description='Words that must all occur; "an exact phrase"; -excluded; prefix*.'),
]


def _each_once(values: Sequence[str]) -> Sequence[str]:
    if len(set(values)) < len(values):
        raise ValueError("expected each once")
    return values


EACH_ONCE: dict[str, Any] = {"uniqueItems": True}
"""For documents: what `EachOnce` asks for."""
EachOnce = AfterValidator(_each_once)
_GAP = r"\s" + UNSEEN
"""Of a class of characters: what no address has."""
Id = Annotated[str, AfterValidator(_cuid), Field(json_schema_extra={"pattern": "^c[0-9a-z]{24}$"})]
NO_NUL: dict[str, Any] = {"pattern": r"^[^\x00]*$"}
"""For documents: what `NoNul` asks for."""
LINE = Field(json_schema_extra={"pattern": rf"^[^{UNSEEN}]*[^{EMPTY}][^{UNSEEN}]*$"})
"""For documents: what `Seen` asks for."""
Content = Annotated[
    str, _max_bytes(limits.CONTENT_BYTES), NoNul, Field(max_length=limits.CONTENT_BYTES, json_schema_extra=NO_NUL)
]
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=limits.TITLE_CHARS), Seen, LINE
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=limits.NAME_CHARS), Seen, LINE]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=limits.TITLE_CHARS),
    Seen,
    Field(json_schema_extra={"pattern": rf"^[^{UNSEEN}]*$"}),
]
Email = Annotated[
    str, StringConstraints(max_length=limits.EMAIL_CHARS, pattern=rf"^[^@{_GAP}]+@[^@{_GAP}]+\.[^@{_GAP}]+$")
]
Url = Annotated[str, StringConstraints(max_length=limits.URL_CHARS, pattern=rf"^https?://[^{_GAP}]+$")]
Metadata = Annotated[
    Any,
    json_object(limits.METADATA_BYTES),
    Field(json_schema_extra={"type": "object", "description": "Any JSON object; at most 16 KiB."}),
]
Fit = Annotated[
    fitting.Fit,
    Field(
        description="What becomes of blocks that are too long: `reject` refuses them, `truncate` cuts texts and lists, "
        "`split` divides texts and tables over several blocks where that is possible."
    ),
]
Blocks = Annotated[
    Any,
    BeforeValidator(_fitted),
    Field(
        json_schema_extra={
            "type": ["array", "null"],
            "items": {"type": "object", "properties": {"type": {"type": "string"}}, "required": ["type"]},
            "maxItems": limits.BLOCKS,
        }
    ),
]
Limit = Annotated[int, Field(ge=1, le=limits.PAGE_MAX, description="Largest number of items in the page.")]
Offset = Annotated[int, Field(ge=0, le=2**53)]
Cursor = Annotated[
    str, StringConstraints(max_length=200), Field(description="`metadata.pagination.next_cursor` of the previous page.")
]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


LEFT_OUT: Any = None
"""Default of a field that a partial update may leave out, but that may not be null. See `given`."""


def given(request: Request, *names: str) -> dict[str, Any]:
    """Those of the named fields that the request gave."""
    return {name: getattr(request, name) for name in names if name in request.model_fields_set}


class Nothing(Request):
    """No parameters."""


class ById(Request):
    id: Id


class Paged(Request):
    limit: Limit = limits.PAGE_DEFAULT
    cursor: Cursor | None = None
