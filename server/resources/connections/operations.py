"""Open WebSockets and streams of this process, for administrators."""

from actors.errors import NotFound, ValidationFailed
from actors.identifiers import is_id
from actors.permissions import must_administer
from actors.resources.audit import NoteForAudit
from server.api.common_views import DeletedView
from server.api.fields import ById
from server.api.registry import Call, Operations, Result
from server.realtime.protocol import codes as protocol
from server.resources.connections.views import ConnectionView, ListConnectionsRequest, connection_view

operations = Operations("admin", prefix="/api/v1/admin")


@operations("GET", "/connections", response=ConnectionView, access="admin", paged=True)
async def list_connections(call: Call, request: ListConnectionsRequest) -> Result:
    """Open WebSockets and streams of this process, oldest first."""
    must_administer(call.identity)
    after = _after(request.cursor)
    hub = call.services.hub
    clients = hub.clients if request.user_id is None else hub.clients_of(request.user_id)
    found = sorted((client for client in clients if client.client_id > after), key=lambda client: client.client_id)
    page = found[: request.limit]
    next_cursor = page[-1].client_id if len(found) > len(page) else None
    return Result([connection_view(client) for client in page], next_cursor=next_cursor, limit=request.limit)


def _after(cursor: str | None) -> str:
    """Raises `ValidationFailed` for a cursor that was not ours."""
    if cursor is not None and not is_id(cursor):
        raise ValidationFailed({"cursor": ["expected `metadata.pagination.next_cursor` of the previous page."]})
    return cursor or ""


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
