"""Health on the wire."""

from typing import Literal

from pydantic import Field

from server.api.fields import Time, View
from server.resources.users.views import UserView


class CheckView(View):
    status: Literal["ok", "failing"]
    reason: str | None


class SocketsView(View):
    """All connections, idle ones too."""

    open: int
    most: int | None = Field(description="Limit, from the number of file descriptors.")
    refused: int = Field(description="Refused since the start, because all connections were busy.")
    closed_idle: int = Field(description="Idle connections closed since the start in favour of new ones.")


class HealthView(View):
    status: Literal["ok", "unavailable"]
    version: str
    started_at: Time
    uptime_seconds: int
    connections: int = Field(description="WebSockets and streams.")
    sockets: SocketsView
    live_threads: int
    checks: dict[str, CheckView]


class LiveView(View):
    status: Literal["alive"]


class InfoView(View):
    user: UserView | None
    name: str
    version: str
    api: str
    links: dict[str, str]
