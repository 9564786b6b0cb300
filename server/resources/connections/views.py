"""Open connections on the wire."""

from typing import Any, Literal

from actors.identifiers import made_at
from server.api.fields import Id, Paged, Time, View
from server.api.render import iso_time
from server.realtime.hub import Client


class ConnectionView(View):
    id: Id
    user_id: Id | None
    user_name: str | None
    transport: Literal["websocket", "http_stream", "sse"]
    address: str
    user_agent: str
    credential: str | None
    channels: list[str]
    connected_at: Time


class ListConnectionsRequest(Paged):
    user_id: Id | None = None


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
        "connected_at": iso_time(made_at(client.client_id)),
    }
