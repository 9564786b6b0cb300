"""Why a user has access or not, for administrators."""

from typing import Any

from actors import limits
from actors.auth.identity import Identity
from actors.errors import NotFound, XpError
from actors.permissions import must_administer, must_see, must_write
from actors.resources.api_keys import ListApiKeys
from actors.resources.members import CountMemberships, GetMember
from actors.resources.sessions import ListSessions
from actors.resources.threads import GetThread
from actors.resources.users import GetUser, User
from server.api import render
from server.api.account_views import api_key_view, session_view
from server.api.fields import ById
from server.api.registry import Call, Operations, Result
from server.realtime.hub import Client
from server.resources.connections.views import connection_view
from server.resources.explain.explaining import explain
from server.resources.explain.views import (
    ExplainAccessRequest,
    ExplanationView,
    ThreadTraceRequest,
    ThreadTraceView,
    UserTraceView,
)

operations = Operations("admin", prefix="/api/v1/admin")


@operations("GET", "/users/{id}/trace", response=UserTraceView, access="admin", rate="costly")
async def trace_user(call: Call, request: ById) -> Result:
    """Whether a user may sign in, and why: status, sessions, keys, connections, and recent refusals."""
    must_administer(call.identity)
    services = call.services
    user = await services.ask(GetUser(request.id))
    sessions = await services.ask(ListSessions(user_id=user.id, limit=limits.TRACE_ENTRIES, before=None))
    keys = await services.ask(ListApiKeys(user_id=user.id, limit=limits.TRACE_ENTRIES, before=None))
    reasons = _reasons(call, user)
    return Result(
        {
            "user": render.user(user, call.identity),
            "may_sign_in": not reasons,
            "reasons": reasons,
            "sessions": [session_view(session, call.identity) for session in sessions.items],
            "api_keys": [api_key_view(key) for key in keys.items],
            "connections": [
                connection_view(client) for client in services.hub.clients_of(user.id)[: limits.TRACE_ENTRIES]
            ],
            "threads": await services.ask(CountMemberships(user.id)),
            "refusals": services.refusals.of(user.id),
        }
    )


def _reasons(call: Call, user: User) -> list[str]:
    reasons = [] if user.status == "ACTIVE" else [f"The account is {user.status}."]
    try:
        call.services.sign_ins.must_come_in(user)
    except XpError as error:
        reasons.append(error.detail)
    return reasons


@operations("POST", "/users/{id}/explain", response=ExplanationView, access="admin", rate="costly", scope="admin")
async def explain_access(call: Call, request: ExplainAccessRequest) -> Result:
    """Whether a user may call an operation now, who decides it, and why.

    The operation is run in the user's name, through all checks of a request, up to its first write, which is undone;
    nothing is changed, no rate is drawn from, and nothing that it reads is answered. `parameters` are those of path,
    query and body in one object; required ones of the body that are left out are made up, and named in `assumed`.
    """
    must_administer(call.identity)
    return Result(await explain(call, request))


@operations("GET", "/threads/{id}/trace", response=ThreadTraceView, access="admin", rate="costly")
async def trace_thread(call: Call, request: ThreadTraceRequest) -> Result:
    """State and current subscribers of a thread, and whether and why a given user has access."""
    must_administer(call.identity)
    services = call.services
    thread = await services.ask(GetThread(call.identity, request.id))
    channel = f"thread:{thread.id}"
    listening = [client for client in services.hub.clients if channel in client.channels]
    return Result(
        {
            "id": thread.id,
            "status": thread.status,
            "offset": thread.offset,
            "message_count": thread.message_count,
            "is_live": services.directory.is_live(thread.id),
            "subscribers": [_subscriber(client, client.identity) for client in listening if client.identity],
            "access": await _access(call, thread.id, request.user_id) if request.user_id else None,
        }
    )


def _subscriber(client: Client, identity: Identity) -> dict[str, Any]:
    return {"connection_id": client.client_id, "user_id": identity.user.id, "transport": client.transport}


async def _access(call: Call, thread_id: str, user_id: str) -> dict[str, Any]:
    """By the very rules that decide it."""
    ask = call.services.ask
    user = await ask(GetUser(user_id))
    thread = await ask(GetThread(call.identity, thread_id))
    try:
        role = (await ask(GetMember(call.identity, thread_id, user_id))).role
    except NotFound:
        role = None
    identity = Identity(user, user.author, 0)
    facts = {"user_id": user_id, "role": role}
    if user.status != "ACTIVE":
        return facts | {"may_see": False, "may_write": False, "because": f"The account is {user.status}."}
    try:
        must_see(identity, role, thread_id)
    except XpError:
        because = "The user is neither a member of the thread nor an ADMIN."
        return facts | {"may_see": False, "may_write": False, "because": because}
    try:
        must_write(identity, role, thread_id, thread.status)
    except XpError as error:
        return facts | {"may_see": True, "may_write": False, "because": error.detail}
    return facts | {"may_see": True, "may_write": True, "because": f"The user is {role} of the thread."}
