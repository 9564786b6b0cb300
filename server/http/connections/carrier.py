"""The connection by which a request came."""

from aiohttp import web

from server.http.connections.connection import Connection


def let_flow(request: web.BaseRequest) -> None:
    """For a handler that follows a body which takes as long as it takes: no limit of the connection's own ends it."""
    if isinstance(request.protocol, Connection):
        request.protocol.let_flow(request.content)


def carrier_of(request: web.BaseRequest) -> Connection | None:
    """The connection by which a request came."""
    return request.protocol if isinstance(request.protocol, Connection) else None


def belongs_to(request: web.BaseRequest, user_key: int) -> None:
    """From now on what is held for the connection counts for this user."""
    if isinstance(request.protocol, Connection):
        request.protocol.user_key = user_key
