"""Blocks that are checked, and messages that are rendered, on the wire."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from actors import limits
from actors.resources.blocks import profile as profiles
from actors.resources.blocks.faults import Faults
from actors.resources.blocks.json_fields import is_shallow
from server.api.fields import Fit, Id, Request, View

Format = Literal["text", "markdown", "html"]


def _profile(name: str) -> str:
    if name not in profiles.names():
        raise ValueError(f"expected one of {', '.join(profiles.names())}")
    return name


def _shallow(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As of all JSON that comes: deeper than what can be stored, it is not looked at."""
    if not all(is_shallow(block, None, Faults(1)) for block in blocks):
        raise ValueError(f"may be nested at most {limits.JSON_DEPTH} levels deep")
    return blocks


class ValidateBlocksRequest(Request):
    in_query = frozenset({"fit"})
    fit: Fit = "reject"
    blocks: Annotated[list[dict[str, Any]], AfterValidator(_shallow)]
    profile: Annotated[str, AfterValidator(_profile)] = profiles.DEFAULT


class FaultView(View):
    pointer: str = Field(description="JSON pointer (RFC 6901) within `blocks`.")
    code: str
    expected: str
    limit: int | float | None
    actual: Any = Field(description="A number where there is a limit; otherwise what came, in short.")


class ChangeView(View):
    pointer: str = Field(
        description="Of a text that was divided, in the blocks as they came; of what was cut, in the blocks as they "
        "are then."
    )
    action: Literal["truncated", "split"]
    limit: int
    actual: int


class ValidatedBlocksView(View):
    valid: bool
    profile: str
    faults: list[FaultView] = Field(description="Of the blocks; with `fit`, of those that were made of them.")
    blocks: list[dict[str, Any]] | None = Field(description="With `fit`, the blocks that were made; otherwise null.")
    changes: list[ChangeView] = Field(description="With `fit`, what was changed.")


class RenderMessageRequest(Request):
    id: Id
    format: Format = "text"


class RenderedView(View):
    message_id: Id
    version: int
    format: Format
    text: str = Field(description="In that format; HTML is safe to insert into a page.")
