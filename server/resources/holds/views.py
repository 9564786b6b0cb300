"""Legal holds on the wire."""

from pydantic import Field

from actors.resources.holds import HoldKind, LegalHold
from server.api import render
from server.api.fields import Id, Paged, Request, Time, Title, View


class HoldView(View):
    id: Id
    kind: HoldKind
    target_id: Id = Field(description="Of the thread or the user.")
    name: str = Field(description="Title of the thread, or name of the user.")
    reason: str
    creator_id: Id
    created_at: Time


class AddHoldRequest(Request):
    kind: HoldKind
    target_id: Id = Field(description="Of the thread or the user.")
    reason: Title = Field(description="Such as the number of a case. Only administrators see it.")


class ListHoldsRequest(Paged):
    target_id: Id | None = Field(default=None, description="Only those on this thread or user.")


def hold(record: LegalHold) -> render.Json:
    return {
        "id": record.id, "kind": record.kind, "target_id": record.target_id, "name": record.name,
        "reason": record.reason, "creator_id": record.creator_id, "created_at": render.iso_time(record.created_at),
    }  # fmt: skip
