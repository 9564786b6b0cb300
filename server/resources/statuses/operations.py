"""The status of users, and when they were last active."""

from collections.abc import Collection

from actors.errors import NotFound
from actors.resources.users import GetLastActive, GetUser
from server.api import render
from server.api.fields import ById
from server.api.registry import Call, Operations, Result
from server.realtime.hub import Client
from server.resources.presence.views import SetStatusRequest, StatusView

operations = Operations("presence")


@operations("GET", "/users/{id}/status", response=StatusView)
async def get_status(call: Call, request: ById) -> Result:
    """Whether a user is `online`, `idle` (connected, but not active for 5 minutes) or `offline`."""
    return await _shown(call, request.id)


@operations("POST", "/users/me/status", response=StatusView)
async def set_status(call: Call, request: SetStatusRequest) -> Result:
    """Set your status to online or idle. Writing sets it to online, too.

    The status belongs to one connection: the one in `client`, else the WebSocket of the call, else the least recently
    used connection of the same credential. A user is online while any of their connections is.
    """
    activity, user = call.services.activity, call.identity.user
    says = activity.rest if request.status == "idle" else activity.note
    says(user.key, connection=_connection(call, request.client), credential=call.identity.credential)
    return await _shown(call, user.id)


def _connection(call: Call, client_id: str | None) -> Client | None:
    if client_id is None:
        return call.connection
    own: Collection[Client] = call.services.activity.connections(call.identity.user.key)
    found = next((each for each in own if each.client_id == client_id), None)
    if found is None:
        raise NotFound("connection", client_id)
    return found


async def _shown(call: Call, user_id: str) -> Result:
    services = call.services
    user = await services.ask(GetUser(user_id))
    last = services.activity.last(user.key)
    if last is None:
        last = await services.ask(GetLastActive(user.key))
    status = services.activity.status(user.key)
    return Result({"user_id": user.id, "status": status, "last_active_at": render.maybe_time(last)})
