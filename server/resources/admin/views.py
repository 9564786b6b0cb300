"""Errors, log level and counts of the server on the wire."""

from typing import Any

from pydantic import Field

from actors import limits
from server.api.fields import Request, Time, View
from server.api.render import iso_time
from server.telemetry.error_groups import ErrorGroup
from server.telemetry.log_level import Level


class OccurrenceView(View):
    at: Time
    correlation_id: str = Field(description="Of its lines in the log; empty if it was no request.")


class ErrorGroupView(View):
    fingerprint: str
    kind: str = Field(description="Class of the exception. Its message is never kept.")
    logger: str
    frames: list[str] = Field(description="Places in the code, the innermost last.")
    count: int
    first_at: Time
    last: list[OccurrenceView] = Field(
        max_length=limits.ERROR_OCCURRENCES, description="The last occurrences, the newest last."
    )


class ErrorsView(View):
    total: int = Field(description="Since the server was started.")
    groups: list[ErrorGroupView] = Field(max_length=limits.ERROR_GROUPS)


class LogLevelView(View):
    level: str
    until: Time | None = Field(description="Null: as the setting LOG_LEVEL says.")


class SetLogLevelRequest(Request):
    level: Level | None = Field(description="Null: as the setting LOG_LEVEL says.")
    seconds: int = Field(default=600, ge=1, le=4 * 3600, description="After them it is as before.")


class SummaryView(View):
    version: str
    users: int
    admins: int
    threads: int
    messages: int
    sessions: int
    api_keys: int
    audit_entries: int
    connections: int
    live_threads: int
    users_online: int
    warnings: list[str] = Field(description="Settings that weaken security, the same as in `xp doctor`.")
    features: dict[str, bool]


def error_group_view(group: ErrorGroup) -> dict[str, Any]:
    return {
        "fingerprint": group.fingerprint,
        "kind": group.kind,
        "logger": group.logger,
        "frames": list(group.frames),
        "count": group.count,
        "first_at": iso_time(group.first_at),
        "last": [{"at": iso_time(each.at), "correlation_id": each.correlation_id} for each in group.last],
    }
