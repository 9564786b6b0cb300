"""Health on the wire."""

from typing import Literal

from server.schemas.base import Time, View
from server.schemas.users import UserView


class CheckView(View):
    status: Literal["ok", "failing"]
    reason: str | None


class HealthView(View):
    status: Literal["ok", "unavailable"]
    version: str
    started_at: Time
    uptime_seconds: int
    connections: int
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
