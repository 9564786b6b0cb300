"""Blocks are checked before they are sent, and messages rendered for clients that show no blocks."""

from dataclasses import asdict

from actors.resources.blocks import fitting, validation
from actors.resources.messages import GetMessage
from server.api.registry import Call, Operations, Result
from server.resources.blocks import rendering
from server.resources.blocks.views import (
    RenderedView,
    RenderMessageRequest,
    ValidateBlocksRequest,
    ValidatedBlocksView,
)

operations = Operations("blocks")


@operations("POST", "/blocks/validate", response=ValidatedBlocksView, scope="read", rate="read")
async def validate_blocks(call: Call, request: ValidateBlocksRequest) -> Result:
    """Check blocks without sending them: every fault at once, with its JSON pointer, limit and actual value.

    With `fit`, the blocks that were made of them, and what was changed.
    """
    blocks, changes = fitting.fitted(request.blocks, request.fit, request.profile)
    found = validation.faults(blocks, request.profile)
    shown = [
        {
            "pointer": fault.pointer,
            "code": fault.code,
            "expected": fault.expected,
            "limit": fault.limit,
            "actual": fault.actual,
        }
        for fault in found
    ]
    data = {
        "valid": not found,
        "profile": request.profile,
        "faults": shown,
        "blocks": None if request.fit == "reject" else blocks,
        "changes": [asdict(change) for change in changes],
    }
    return Result(data)


@operations("GET", "/messages/{id}/rendered", response=RenderedView, rate="costly")
async def render_message(call: Call, request: RenderMessageRequest) -> Result:
    """A message's content and blocks as plain text, as Markdown, or as safe HTML."""
    message = await call.services.ask(GetMessage(call.identity, request.id))
    (text,) = await call.services.compute(call.identity, rendering.rendered, [message], request.format)
    data = {"message_id": message.id, "version": message.version, "format": request.format, "text": text}
    return Result(data, version=message.version)
