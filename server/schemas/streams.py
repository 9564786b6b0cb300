"""Messages that are being written, on the wire."""

from typing import Annotated

from pydantic import Field, StringConstraints

from actors import limits
from server.schemas.base import LEFT_OUT, NO_NUL, Blocks, Content, Id, Metadata, NoNul, Request, View


class AppendRequest(Request):
    id: Id
    text: Annotated[str, StringConstraints(max_length=limits.CONTENT_BYTES), NoNul] = Field(
        description="What comes next; empty to say that one is still there.", json_schema_extra=NO_NUL
    )
    index: int | None = Field(
        default=None, ge=0, description="Where it starts, in characters: then a retry is no second text."
    )


class AppendedView(View):
    length: int = Field(description="Of the text so far, in characters: where the next piece starts.")


class CompleteRequest(Request):
    id: Id
    content: Content = LEFT_OUT
    blocks: Blocks = None
    metadata: Metadata = LEFT_OUT


class FailRequest(Request):
    id: Id
    metadata: Metadata = LEFT_OUT
