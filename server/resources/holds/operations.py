"""Legal holds, for administrators."""

from actors.permissions import must_administer
from actors.resources.holds import AddHold, ListHolds, RemoveHold
from server.api.common_views import DeletedView
from server.api.cursors import integer
from server.api.fields import ById
from server.api.registry import Call, Operations, Result
from server.resources.holds.views import AddHoldRequest, HoldView, ListHoldsRequest, hold

operations = Operations("holds", prefix="/api/v1/admin")


@operations("GET", "/holds", response=HoldView, access="admin", paged=True)
async def list_holds(call: Call, request: ListHoldsRequest) -> Result:
    """Legal holds on threads and users, newest first."""
    must_administer(call.identity)
    before = integer(request.cursor, prefix="before:")
    page = await call.services.ask(ListHolds(limit=request.limit, before=before, target_id=request.target_id))
    return Result([hold(record) for record in page.items], next_cursor=page.next_cursor, limit=request.limit)


@operations("POST", "/holds", response=HoldView, status=201, access="admin", rate="audited")
async def add_hold(call: Call, request: AddHoldRequest) -> Result:
    """Place a legal hold: no rule purges the thread, or what the user wrote, and the user cannot be deleted."""
    must_administer(call.identity)
    command = AddHold(
        identity=call.identity, origin=call.origin, once=call.once, kind=request.kind, target_id=request.target_id,
        reason=request.reason,
    )  # fmt: skip
    return Result(hold(await call.services.result(command)))


@operations("DELETE", "/holds/{id}", response=DeletedView, access="admin", rate="audited")
async def remove_hold(call: Call, request: ById) -> Result:
    """Remove a legal hold; rules and erasures that waited for it go on."""
    removed = await call.services.result(RemoveHold(identity=call.identity, origin=call.origin, hold_id=request.id))
    return Result({"id": removed.id, "deleted": True})
