"""The audit log, for administrators."""

from actors.permissions import must_administer
from actors.resources.audit import ListAuditEntries
from server.api.cursors import integer
from server.api.registry import Call, Operations, Result
from server.resources.audit.views import AuditEntryView, ListAuditRequest, audit_view

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
