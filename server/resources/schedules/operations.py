"""The caller's messages that are sent later, and reminders."""

from datetime import UTC, datetime

from actors.errors import NotFound, ValidationFailed
from actors.outcomes import Done
from actors.resources.notifications import GetPreferences
from actors.resources.schedules import (
    CancelSchedule,
    CreateSchedule,
    GetSchedule,
    ListSchedules,
    Moment,
    Schedule,
    UpdateSchedule,
    at_instant,
    moment_of,
)
from server.api.cursors import integer
from server.api.fields import ById, as_sent, given
from server.api.registry import Call, Operations, Result
from server.resources.schedules.views import (
    CreateScheduleRequest,
    ListSchedulesRequest,
    ScheduleView,
    UpdateScheduleRequest,
    schedule_view,
)

operations = Operations("schedules")


@operations("POST", "/schedules", response=ScheduleView, status=201)
async def create_schedule(call: Call, request: CreateScheduleRequest) -> Result:
    """Schedule a message in your name, or a reminder to yourself.

    A reminder is `schedule.updated` on your own channel, also for webhooks. Your rights are checked now, and again when
    it is sent. A message that cannot be written for a while (an answer is being streamed) is tried for an hour.
    """
    zone = request.time_zone or (await call.services.ask(GetPreferences(call.identity.user.key))).time_zone
    command = CreateSchedule(
        identity=call.identity, once=call.once, kind=request.kind, thread_id=await _thread_of(call, request),
        message_id=request.message_id, content=request.content, blocks=as_sent(request.blocks),
        metadata=request.metadata, at=_moment(request.at, request.local_time, zone),
    )  # fmt: skip
    schedule = (await _written(call, command)).result
    return _shown(schedule, location=f"/api/v1/schedules/{schedule.id}")


async def _thread_of(call: Call, request: CreateScheduleRequest) -> str | None:
    """A reminder may name its message alone."""
    if request.thread_id is None and request.message_id is not None:
        return await call.services.places.thread_of(request.message_id)
    return request.thread_id


async def _written(call: Call, command: CreateSchedule) -> Done[Schedule]:
    """Raises `NotFound` for the message where the caller may not see its thread."""
    try:
        return await call.services.write(command)
    except NotFound:
        if command.message_id is not None:
            raise NotFound("message", command.message_id) from None
        raise


def _moment(at: int | None, local_time: str | None, zone: str) -> Moment:
    """Raises `ValidationFailed` for a day that does not exist, and beyond the end of the calendar."""
    try:
        if at is not None:
            return at_instant(datetime.fromtimestamp(at / 1000, UTC), zone)
        assert local_time is not None, "one of them is given"
        return moment_of(datetime.fromisoformat(local_time), zone)
    except (ValueError, OverflowError):
        field = "at" if at is not None else "local_time"
        raise ValidationFailed({field: ["expected a day that exists, at most a year ahead."]}) from None


@operations("GET", "/schedules", response=ScheduleView, paged=True)
async def list_schedules(call: Call, request: ListSchedulesRequest) -> Result:
    """Your schedules, newest first; those that have ended are kept for 30 days."""
    query = ListSchedules(
        call.identity, status=request.status, thread_id=request.thread_id, limit=request.limit,
        before=integer(request.cursor),
    )  # fmt: skip
    page = await call.services.ask(query)
    return Result(list(map(schedule_view, page.items)), next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/schedules/{id}", response=ScheduleView)
async def get_schedule(call: Call, request: ById) -> Result:
    """One of your schedules."""
    return _shown(await call.services.ask(GetSchedule(call.identity, request.id)))


@operations("PATCH", "/schedules/{id}", response=ScheduleView)
async def update_schedule(call: Call, request: UpdateScheduleRequest) -> Result:
    """Change a pending schedule: what it says, or when it is due."""
    command = UpdateSchedule(
        identity=call.identity, once=call.once, schedule_id=request.id, if_version=call.if_version,
        **given(request, "content", "metadata"),
    )  # fmt: skip
    if "blocks" in request.model_fields_set:
        command.blocks = as_sent(request.blocks)
    if {"at", "local_time"} & request.model_fields_set:
        zone = request.time_zone or (await call.services.ask(GetSchedule(call.identity, request.id))).at.time_zone
        command.at = _moment(request.at, request.local_time, zone)
    return _shown((await call.services.write(command)).result)


@operations("DELETE", "/schedules/{id}", response=ScheduleView)
async def cancel_schedule(call: Call, request: ById) -> Result:
    """Cancel a pending schedule. It stays in the list as `cancelled`."""
    command = CancelSchedule(identity=call.identity, schedule_id=request.id, if_version=call.if_version)
    return _shown((await call.services.write(command)).result)


def _shown(schedule: Schedule, location: str | None = None) -> Result:
    return Result(schedule_view(schedule), version=schedule.version, location=location)
