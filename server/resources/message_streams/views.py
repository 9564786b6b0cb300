"""Messages that are being written, on the wire."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from actors import limits
from server.api.fields import LEFT_OUT, NO_NUL, Blocks, Content, Id, Metadata, Request, View


def _piece(text: Any) -> str:
    """A text, also with halves of surrogate pairs, which a field of the type `str` refuses."""
    if not isinstance(text, str):
        raise ValueError("Input should be a valid string")
    if len(text) > limits.CONTENT_BYTES:
        raise ValueError(f"String should have at most {limits.CONTENT_BYTES} characters")
    if "\x00" in text:
        raise ValueError("may not contain NUL characters")
    return text


class AppendRequest(Request):
    takes_halves = True

    id: Id
    text: Annotated[Any, BeforeValidator(_piece)] = Field(
        description="Text to append; empty to show that the author is alive. It may end with half of a surrogate "
        "pair, whose other half follows.",
        json_schema_extra={"type": "string", "maxLength": limits.CONTENT_BYTES, **NO_NUL},
    )
    index: int | None = Field(
        default=None, ge=0, description="Where the text starts, in characters: with it a retry does not duplicate text."
    )


class AppendedView(View):
    length: int = Field(description="Length of the text so far, in characters: where the next piece starts.")


class CompleteRequest(Request):
    id: Id
    content: Content = LEFT_OUT
    blocks: Blocks = None
    metadata: Metadata = LEFT_OUT


class FailRequest(Request):
    id: Id
    metadata: Metadata = LEFT_OUT
