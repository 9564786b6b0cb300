"""Acknowledgements on the wire."""

from pydantic import Field

from actors import limits
from actors.resources.acknowledgements import Acknowledged, Acknowledgement, Answer
from server.api import render
from server.api.fields import Id, Paged, Request, Time, View
from server.resources.users.views import AuthorView


class AcknowledgementView(View):
    user: AuthorView
    acknowledged_at: Time | None = Field(description="Null: not yet.")


class AcknowledgedView(View):
    message_id: Id
    user: AuthorView
    acknowledged_at: Time
    asked: int = Field(description="How many users the message asks.")
    acknowledged: int = Field(description="How many of them have acknowledged it.")


class AcknowledgeRequest(Request):
    message_id: Id


class ListAcknowledgementsRequest(Paged):
    message_id: Id
    limit: int = Field(default=limits.PAGE_DEFAULT, ge=1, le=limits.PAGE_MAX)
    status: Answer | None = Field(default=None, description="`given` or `waiting`; left out: both.")


def acknowledgement(record: Acknowledgement) -> render.Json:
    return {"user": render.author(record.user), "acknowledged_at": render.maybe_time(record.acknowledged_at)}


def acknowledged(record: Acknowledged) -> render.Json:
    return {
        "message_id": record.message_id,
        "user": render.author(record.user),
        "acknowledged_at": render.iso_time(record.acknowledged_at),
        "asked": record.asked,
        "acknowledged": record.acknowledged,
    }
