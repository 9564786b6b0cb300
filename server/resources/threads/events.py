"""Events about a thread itself, on the wire."""

from typing import Final

from actors.events import Event
from actors.resources.threads import (
    CONTROL_CHANGED,
    THREAD_CREATED,
    THREAD_DELETED,
    THREAD_UPDATED,
    Control,
    ControlChange,
    Thread,
    ThreadGone,
)
from actors.thread_parts import FIELDS
from server.api import render
from server.api.event_views import DataView, DataViews, shared
from server.api.fields import Id, View
from server.resources.messages.events import SharedMessageView
from server.resources.threads.views import ThreadView

SharedThreadView = shared(
    ThreadView,
    without=(*(field.name for field in FIELDS), "membership"),
    last_message=SharedMessageView | None,
)


class ThreadGoneView(View):
    id: Id


class ControlChangeView(View):
    control: Control
    previous: Control
    reason: str


def _thread(_: Event, thread: Thread) -> render.Json:
    return render.thread(thread, personal=False)


def _gone(_: Event, gone: ThreadGone) -> render.Json:
    return {"id": gone.id}


def _control(_: Event, change: ControlChange) -> render.Json:
    return {"control": change.control, "previous": change.previous, "reason": change.reason}


_THREAD = DataView(SharedThreadView, _thread)
VIEWS: Final[DataViews] = {
    THREAD_CREATED: _THREAD,
    THREAD_UPDATED: _THREAD,
    THREAD_DELETED: DataView(ThreadGoneView, _gone),
    CONTROL_CHANGED: DataView(ControlChangeView, _control),
}
