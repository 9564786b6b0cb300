"""Ephemeral events of streamed messages, on the wire."""

from typing import Final

from pydantic import Field

from actors.delivery.ephemeral import Ephemeral
from actors.resources.message_streams import MESSAGE_DELTA, MessageDelta
from server.api import render
from server.api.event_views import DataView, EphemeralViews
from server.api.fields import Id, View


class DeltaView(View):
    """A piece of a message that is being streamed."""

    message_id: Id
    index: int = Field(ge=0, description="Where the piece starts, in characters.")
    text: str


def _delta(_: Ephemeral, delta: MessageDelta) -> render.Json:
    return {"message_id": delta.message_id, "index": delta.index, "text": delta.text}


VIEWS: Final[EphemeralViews] = {MESSAGE_DELTA: DataView(DeltaView, _delta)}
