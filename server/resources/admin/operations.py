"""For administrators: errors, status, log level and counts of the server."""

from actors.permissions import must_administer
from actors.resources.audit import NoteForAudit
from actors.resources.users import CountResources
from server.api import render
from server.api.fields import Nothing
from server.api.registry import Call, Operations, Result
from server.resources.admin.status_views import ServerStatusView
from server.resources.admin.views import (
    ErrorsView,
    LogLevelView,
    SetLogLevelRequest,
    SummaryView,
    error_group_view,
)
from server.telemetry.status import document as status

operations = Operations("admin", prefix="/api/v1/admin")


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
