"""Scheduled messages and reminders on the wire."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from actors import limits
from actors.resources.schedules import Schedule, ScheduleKind, ScheduleStatus
from actors.text.normal import is_blank
from server.api import render
from server.api.fields import LEFT_OUT, Blocks, Content, Id, Metadata, Moment, Paged, Request, Time, View
from server.resources.notifications.views import TimeZone

LocalTime = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
    ),
    Field(description="By the clock of `time_zone`, such as 2026-03-29T09:00; also where clocks change in between."),
]


class ScheduleView(View):
    id: Id
    kind: ScheduleKind
    thread_id: Id | None = Field(description="Null: a reminder without a subject.")
    message_id: Id | None = Field(
        description="Of a message: its id once it is written. Of a reminder: the message it is about."
    )
    content: str = Field(description="Of the message; the note of a reminder.")
    blocks: list[dict[str, Any]] | None
    metadata: dict[str, Any]
    at: Time
    local_time: str = Field(description="The same by the clock of `time_zone`, without an offset.")
    time_zone: str
    status: ScheduleStatus
    reason: str = Field(description="Why it failed, as the refusal says it.")
    version: int
    created_at: Time
    ended_at: Time | None = Field(description="When it was sent, failed or was cancelled.")


class CreateScheduleRequest(Request):
    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["at"]}, {"required": ["local_time"]}]})
    kind: ScheduleKind = "message"
    thread_id: Id | None = Field(default=None, description="Of a message, or of what a reminder is about.")
    message_id: Id | None = Field(default=None, description="The message that a reminder is about.")
    content: Content = Field(
        default="", description="Of the message; the note of a reminder (at most 1,000 characters)."
    )
    blocks: Blocks = None
    metadata: Metadata = "{}"
    at: Moment = Field(default=None, description="The instant; or give `local_time`.")
    local_time: LocalTime | None = None
    time_zone: TimeZone | None = Field(default=None, description="By default that of your preferences.")

    @model_validator(mode="after")
    def _is_whole(self) -> "CreateScheduleRequest":
        if (self.at is None) == (self.local_time is None):
            raise ValueError("expected one of `at` and `local_time`")
        if self.kind == "message":
            self._must_be_a_message()
        else:
            self._must_be_a_reminder()
        return self

    def _must_be_a_message(self) -> None:
        if self.thread_id is None or self.message_id is not None:
            raise ValueError("a message needs `thread_id`, and has no `message_id` before it is written")
        if is_blank(self.content) and self.blocks in (None, "[]"):
            raise ValueError("a message needs `content` or `blocks`")

    def _must_be_a_reminder(self) -> None:
        if self.blocks is not None or self.metadata != "{}":
            raise ValueError("a reminder has no `blocks` and no `metadata`")
        if self.thread_id is None and self.message_id is None and is_blank(self.content):
            raise ValueError("a reminder needs `content`, or a thread or message that it is about")
        if len(self.content) > limits.SCHEDULE_NOTE_CHARS:
            raise ValueError(f"the `content` of a reminder may have at most {limits.SCHEDULE_NOTE_CHARS} characters")


class UpdateScheduleRequest(Request):
    id: Id
    content: Content = LEFT_OUT
    blocks: Blocks = None
    metadata: Metadata = LEFT_OUT
    at: Moment = LEFT_OUT
    local_time: LocalTime = LEFT_OUT
    time_zone: TimeZone = LEFT_OUT

    @model_validator(mode="after")
    def _one_time(self) -> "UpdateScheduleRequest":
        given = self.model_fields_set
        if {"at", "local_time"} <= given:
            raise ValueError("expected one of `at` and `local_time`")
        if "time_zone" in given and not {"at", "local_time"} & given:
            raise ValueError("`time_zone` comes with `at` or `local_time`")
        return self


class ListSchedulesRequest(Paged):
    status: ScheduleStatus | None = None
    thread_id: Id | None = None


def schedule_view(schedule: Schedule) -> render.Json:
    is_shown = schedule.kind == "reminder" or schedule.status == "sent"
    return {
        "id": schedule.id,
        "kind": schedule.kind,
        "thread_id": schedule.thread_id,
        "message_id": schedule.message_id if is_shown else None,
        "content": schedule.content,
        "blocks": render.carried(schedule.blocks),
        "metadata": render.carried(schedule.metadata),
        "at": render.iso_time(schedule.at.due_at),
        "local_time": schedule.at.local,
        "time_zone": schedule.at.time_zone,
        "status": schedule.status,
        "reason": schedule.reason,
        "version": schedule.version,
        "created_at": render.iso_time(schedule.created_at),
        "ended_at": render.maybe_time(schedule.ended_at),
    }
