"""For administrators: the audit log, connections, sessions, and why a user has access or not."""

from typing import Any

from actors import limits
from actors.auth.identity import Identity
from actors.errors import NotFound, ValidationFailed, XpError
from actors.identifiers import is_id, made_at
from actors.resources.api_keys import ListApiKeys
from actors.resources.audit import ListAuditEntries, NoteForAudit
from actors.resources.members import CountMemberships, GetMember
from actors.resources.sessions import CreateLink, ListSessions, RevokeToken
from actors.resources.threads import GetThread
from actors.resources.users import CountResources, GetUser, User
from actors.rules import must_administer, must_see, must_write
from server.api import render
from server.api.account_views import api_key_view, audit_view, error_group_view, session_view
from server.api.common_views import DeletedView
from server.api.cursors import integer
from server.api.fields import ById, Nothing
from server.api.registry import Call, Operations, Result
from server.auth.credentials import LINK_PREFIX, new_secret
from server.auth.signed_in_places import end_place, places
from server.realtime.hub import Client
from server.realtime.protocol import codes as protocol
from server.resources.admin.explaining import explain
from server.resources.admin.status_views import ServerStatusView
from server.resources.admin.views import (
    AuditEntryView,
    ConnectionView,
    ErrorsView,
    ExplainAccessRequest,
    ExplanationView,
    ListAuditRequest,
    ListConnectionsRequest,
    ListSessionsRequest,
    LogLevelView,
    RevokedView,
    RevokeTokenRequest,
    SetLogLevelRequest,
    SignInLinkView,
    SummaryView,
    ThreadTraceRequest,
    ThreadTraceView,
    UserTraceView,
)
from server.resources.auth.operations import now_ms
from server.resources.auth.views import SessionView
from server.telemetry.status import document as status

operations = Operations("admin", prefix="/api/v1/admin")


@operations("GET", "/audit", response=AuditEntryView, access="admin", paged=True, rate="costly")
async def list_audit(call: Call, request: ListAuditRequest) -> Result:
    """Audit entries, newest first: who did what to which object, and from where."""
    must_administer(call.identity)
    page = await call.services.ask(
        ListAuditEntries(
            limit=request.limit,
            before=integer(request.cursor),
            actor_id=request.actor_id,
            target_id=request.target_id,
            action=request.action,
        )
    )
    return Result([audit_view(entry) for entry in page.items], next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/errors", response=ErrorsView, access="admin")
async def get_errors(call: Call, request: Nothing) -> Result:
    """Unhandled errors of the server, grouped by where they were raised, the most recently seen first.

    At most 100 groups, kept over restarts. No message of an exception, and nothing that a client sent.
    """
    must_administer(call.identity)
    errors = call.services.error_groups
    return Result({"total": errors.total, "groups": [error_group_view(group) for group in errors.groups]})


@operations("GET", "/status", response=ServerStatusView, access="admin")
async def get_server_status(call: Call, request: Nothing) -> Result:
    """Status of the server: health with since when, service levels and figures of the last hour, slowest operations.

    The page `/status` shows the same. Values of the figures are of the steps that end at `times`.
    """
    must_administer(call.identity)
    return Result(await status.whole(call.services))


@operations("GET", "/log-level", response=LogLevelView, access="admin")
async def get_log_level(call: Call, request: Nothing) -> Result:
    """The log level of this server now, and until when."""
    must_administer(call.identity)
    chosen = call.services.log_level
    return Result({"level": chosen.level, "until": render.maybe_time(chosen.until)})


@operations("PUT", "/log-level", response=LogLevelView, access="admin", rate="audited")
async def set_log_level(call: Call, request: SetLogLevelRequest) -> Result:
    """Change the log level for a while. At `debug` every request of new connections is logged; never content."""
    must_administer(call.identity)
    note = NoteForAudit(
        action="set_log_level", origin=call.origin, actor_id=call.identity.user.id, credential=call.identity.credential,
        target_kind="server", target_id=request.level or "setting",
    )  # fmt: skip
    await call.services.write(note)
    if request.level is None:
        call.services.log_level.restore()
    else:
        call.services.log_level.change(request.level, request.seconds)
    return await get_log_level(call, Nothing())


@operations("GET", "/summary", response=SummaryView, access="admin", rate="costly")
async def get_summary(call: Call, request: Nothing) -> Result:
    """Counts of all resources, and how the server is configured."""
    must_administer(call.identity)
    services = call.services
    online = {client.identity.user.key for client in services.hub.clients if client.identity is not None}
    return Result(
        {
            "version": services.version,
            **await services.ask(CountResources()),
            "connections": services.hub.size,
            "live_threads": services.directory.live_threads,
            "users_online": len(online),
            "warnings": list(services.warnings),
            "features": {
                "rate_limits": services.rate_limits,
                "identity_provider": services.sign_ins.provider is not None,
            },
        }
    )


# Connections


@operations("GET", "/connections", response=ConnectionView, access="admin", paged=True)
async def list_connections(call: Call, request: ListConnectionsRequest) -> Result:
    """Open WebSockets and streams of this process, oldest first."""
    must_administer(call.identity)
    after = _after(request.cursor)
    found = sorted(
        (
            client
            for client in call.services.hub.clients
            if client.client_id > after and _is_of(client, request.user_id)
        ),
        key=lambda client: client.client_id,
    )
    page = found[: request.limit]
    next_cursor = page[-1].client_id if len(found) > len(page) else None
    return Result([connection_view(client) for client in page], next_cursor=next_cursor, limit=request.limit)


def _after(cursor: str | None) -> str:
    """Raises `ValidationFailed` for a cursor that was not ours."""
    if cursor is not None and not is_id(cursor):
        raise ValidationFailed({"cursor": ["expected `metadata.pagination.next_cursor` of the previous page."]})
    return cursor or ""


def _is_of(client: Client, user_id: str | None) -> bool:
    return user_id is None or (client.identity is not None and client.identity.user.id == user_id)


def connection_view(client: Client) -> dict[str, Any]:
    identity = client.identity
    return {
        "id": client.client_id,
        "user_id": identity.user.id if identity else None,
        "user_name": identity.user.name if identity else None,
        "transport": client.transport,
        "address": client.peer.address,
        "user_agent": client.peer.user_agent,
        "credential": identity.credential if identity else None,
        "channels": list(client.channels),
        "connected_at": render.iso_time(made_at(client.client_id)),
    }


@operations("DELETE", "/connections/{id}", response=DeletedView, access="admin")
async def end_connection(call: Call, request: ById) -> Result:
    """Close a WebSocket or stream. Its client may reconnect; end its session to prevent that."""
    must_administer(call.identity)
    client = next((client for client in call.services.hub.clients if client.client_id == request.id), None)
    if client is None:
        raise NotFound("connection", request.id)
    note = NoteForAudit(
        action="end_connection", origin=call.origin, actor_id=call.identity.user.id,
        credential=call.identity.credential, target_kind="connection", target_id=request.id,
    )  # fmt: skip
    await call.services.write(note)  # what cannot be written down is not done
    client.close(*protocol.EXPIRED)
    return Result({"id": request.id, "deleted": True})


# Sessions, links, tokens


@operations("GET", "/sessions", response=SessionView, access="admin", paged=True)
async def list_all_sessions(call: Call, request: ListSessionsRequest) -> Result:
    """Active sessions of all users, newest first."""
    must_administer(call.identity)
    return await places(call, request.user_id, request.limit, request.cursor)


@operations("DELETE", "/sessions/{id}", response=DeletedView, access="admin")
async def end_any_session(call: Call, request: ById) -> Result:
    """End a session of any user."""
    must_administer(call.identity)
    await end_place(call, request.id, "ended by an administrator")
    return Result({"id": request.id, "deleted": True})


@operations("POST", "/users/{id}/sign-in-link", response=SignInLinkView, status=201, access="admin")
async def create_sign_in_link(call: Call, request: ById) -> Result:
    """Create a link that signs a user in once and lets them set a password. It is returned only once."""
    must_administer(call.identity)
    secret, expires_at = new_secret(LINK_PREFIX), now_ms() + limits.SIGN_IN_LINK_SECONDS * 1000
    command = CreateLink(
        identity=call.identity, user_id=request.id, link_hash=secret.hash, expires_at=expires_at, origin=call.origin
    )
    user = await call.services.result(command)
    shown = {"user_id": request.id, "link": secret.text, "expires_at": render.iso_time(expires_at)}
    return Result(shown, extra=call.services.sign_ins.warnings(user))


@operations("POST", "/tokens/revoke", response=RevokedView, access="admin")
async def revoke_token(call: Call, request: RevokeTokenRequest) -> Result:
    """Revoke another issuer's token by its `jti`. Connections that were opened with it are closed."""
    command = RevokeToken(
        identity=call.identity, token_id=request.jti, expires_at=now_ms() + request.expires_in * 1000,
        origin=call.origin, once=call.once,
    )  # fmt: skip
    await call.services.write_access(command)
    return Result({"revoked": True})


# Why?


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
            "connections": [connection_view(c) for c in services.hub.clients if _is_of(c, user.id)][
                : limits.TRACE_ENTRIES
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
