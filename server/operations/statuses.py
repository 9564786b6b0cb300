"""Whether somebody is there, and when they did something last."""

from server import render
from server.registry import Call, Operations, Result
from server.schemas.base import ById
from server.schemas.presence import SetStatusRequest, StatusView

operations = Operations("presence")


@operations("GET", "/users/{id}/status", response=StatusView)
async def get_status(call: Call, request: ById) -> Result:
    """Whether somebody is `online`, `idle` (connected, and nothing done for 5 minutes) or `offline`."""
    return await _shown(call, request.id)


@operations("POST", "/users/me/status", response=StatusView)
async def set_status(call: Call, request: SetStatusRequest) -> Result:
    """Say that one is there, or away from it: for pages that know. Whatever one writes says that one is there, too."""
    activity, user = call.services.activity, call.identity.user
    if request.status == "idle":
        activity.rest(user.key)
    else:
        activity.note(user.key)
    return await _shown(call, user.id)


async def _shown(call: Call, user_id: str) -> Result:
    services = call.services
    user = await services.history.user(user_id)
    last = services.activity.last(user.key)
    if last is None:
        last = await services.personal.last_active(user.key)
    status = services.activity.status(user.key)
    return Result({"user_id": user.id, "status": status, "last_active_at": render.maybe_time(last)})
