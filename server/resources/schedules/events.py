"""Schedules in their user's own log, on the wire."""

from typing import Final

from actors.events import EventKind
from actors.resources.schedules import SCHEDULE_UPDATED, Schedule
from actors.resources.user_events import Facts, UserEvent
from server.api import render
from server.api.event_views import DataView
from server.resources.notifications.events import ByIdView
from server.resources.schedules.views import ScheduleView, schedule_view


def _schedule(_: UserEvent, data: Schedule | Facts) -> render.Json:
    """Of a schedule that is not there any more, only its id."""
    return schedule_view(data) if isinstance(data, Schedule) else dict(data)


VIEWS: Final[dict[EventKind, DataView]] = {SCHEDULE_UPDATED: DataView(ScheduleView | ByIdView, _schedule)}
