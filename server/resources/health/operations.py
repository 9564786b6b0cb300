"""Health, readiness and version. Open to all."""

import time
from typing import Any

from actors.errors import Unavailable, XpError
from actors.resources.log import GetLogHead
from server.api import render
from server.api.fields import Nothing
from server.api.registry import Call, Operations, Result
from server.api.render import iso_time
from server.resources.health.views import HealthView, InfoView, LiveView

operations = Operations("health", prefix="")
NEEDED = ("database", "server")
"""Checks without which a server is of no use; without its store of files the rest goes on."""


@operations("GET", "/health", response=HealthView, access="open")
async def get_health(call: Call, request: Nothing) -> Result:
    """Health of the server, and its current counts."""
    return Result(await _health(call))


@operations("GET", "/api/v1/health", response=HealthView, access="open")
async def get_api_health(call: Call, request: Nothing) -> Result:
    """The same as `/health`, under the prefix."""
    return Result(await _health(call))


@operations("GET", "/health/live", response=LiveView, access="open")
async def get_liveness(call: Call, request: Nothing) -> Result:
    """Succeeds while the process answers; a supervisor restarts it otherwise."""
    return Result({"status": "alive"})


@operations("GET", "/health/ready", response=HealthView, access="open")
async def get_readiness(call: Call, request: Nothing) -> Result:
    """Whether to send traffic to this server: 503 with reasons while the database fails or the server drains."""
    health = await _health(call)
    reasons = {name: health["checks"][name]["reason"] for name in NEEDED if health["checks"][name]["status"] != "ok"}
    if reasons:
        raise Unavailable("; ".join(f"{name}: {reason}" for name, reason in reasons.items()))
    return Result(health)


@operations("GET", "/api/v1", response=InfoView, access="optional")
async def get_info(call: Call, request: Nothing) -> Result:
    """Name, version and paths of this server, and the signed-in user, if there is one."""
    services = call.services
    user = None if call.who is None else render.user(call.who.user, call.who)
    links = {"health": "/health", "websocket": "/connection/websocket", "events": "/api/v1/events"}
    return Result({"name": "experience-server", "version": services.version, "api": "v1", "links": links, "user": user})


async def _health(call: Call) -> dict[str, Any]:
    services = call.services
    checks = {
        "database": await _database(call), "server": _check("draining" if services.draining else None),
        "files": _check(services.files.store_failure),
    }  # fmt: skip
    healthy = all(checks[name]["status"] == "ok" for name in NEEDED)
    return {
        "status": "ok" if healthy else "unavailable",
        "version": services.version,
        "started_at": iso_time(int(services.started_at * 1000)),
        "uptime_seconds": int(time.time() - services.started_at),
        "connections": services.hub.size,
        "sockets": {
            "open": services.sockets.open,
            "most": services.sockets.most,
            "refused": services.sockets.refused,
            "closed_idle": services.sockets.closed_idle,
        },
        "live_threads": services.directory.live_threads,
        "checks": checks,
    }


async def _database(call: Call) -> dict[str, str | None]:
    failure = call.services.directory.journal.failure
    if failure is not None:
        return _check(failure.detail)
    try:
        await call.services.ask(GetLogHead())
    except XpError as error:
        return _check(error.detail)
    return _check(None)


def _check(reason: str | None) -> dict[str, str | None]:
    return {"status": "ok" if reason is None else "failing", "reason": reason}
