"""Notification preferences: for all threads, and for one thread."""

from actors.commands import UNSET, Unset
from actors.errors import ValidationFailed
from actors.resources.notifications import (
    DeliveryKind,
    GetPreferences,
    GetThreadPreferences,
    Preferences,
    SetThreadPreferences,
    UpdatePreferences,
)
from server.api import render
from server.api.fields import Nothing, given
from server.api.registry import Call, Operations, Result
from server.resources.notifications.views import (
    PreferencesView,
    QuietHours,
    ThreadPreferencesView,
    UpdatePreferencesRequest,
    UpdateThreadPreferencesRequest,
)
from server.resources.threads.views import ThreadRequest

operations = Operations("preferences")


@operations("GET", "/users/me/preferences", response=PreferencesView)
async def get_preferences(call: Call, request: Nothing) -> Result:
    """Your preferences, or the defaults."""
    return _shown(await call.services.ask(GetPreferences(call.identity.user.key)))


@operations("PATCH|PUT", "/users/me/preferences", response=PreferencesView)
async def update_preferences(call: Call, request: UpdatePreferencesRequest) -> Result:
    """Set what notifies you, delivery outside the application, quiet hours, and visibility of read markers."""
    changes = given(request, "notify", "time_zone", "show_read")
    if "deliver" in request.model_fields_set:
        changes["deliver"] = tuple(request.deliver)
        _must_be_served(call, changes["deliver"])
    command = UpdatePreferences(
        identity=call.identity, once=call.once, if_version=call.if_version, quiet=_quiet(request), **changes
    )
    return _shown(await call.services.result(command))


def _must_be_served(call: Call, ways: tuple[DeliveryKind, ...]) -> None:
    if "email" in ways and call.services.digests is None:
        raise ValidationFailed({"deliver": ["this server sends no e-mail."]})


def _quiet(request: UpdatePreferencesRequest) -> tuple[int, int] | Unset | None:
    if "quiet_hours" not in request.model_fields_set:
        return UNSET
    chosen: QuietHours | None = request.quiet_hours
    return None if chosen is None else (_minutes(chosen.start), _minutes(chosen.end))


def _minutes(time: str) -> int:
    hours, _, minutes = time.partition(":")
    return int(hours) * 60 + int(minutes)


def _shown(preferences: Preferences) -> Result:
    return Result(render.preferences(preferences), version=preferences.version)


@operations("GET", "/threads/{thread_id}/preferences", response=ThreadPreferencesView)
async def get_thread_preferences(call: Call, request: ThreadRequest) -> Result:
    """Your preferences for one of your threads."""
    return Result(
        render.thread_preferences(await call.services.ask(GetThreadPreferences(call.identity, request.thread_id)))
    )


@operations("PATCH|PUT", "/threads/{thread_id}/preferences", response=ThreadPreferencesView)
async def update_thread_preferences(call: Call, request: UpdateThreadPreferencesRequest) -> Result:
    """Set what notifies you in one thread; null to use your general preference."""
    if "notify" not in request.model_fields_set:
        return await get_thread_preferences(call, ThreadRequest(thread_id=request.thread_id))
    command = SetThreadPreferences(
        identity=call.identity, once=call.once, thread_id=request.thread_id, notify=request.notify
    )
    done = await call.services.write(command)
    return Result(render.thread_preferences(done.result))
