"""The status of the server as JSON: all of it for administrators, and what holds no secret for all others."""

import platform
import sqlite3
import time
from typing import Any

from actors import limits
from actors.measures import Histogram
from actors.resources.applied_migrations import ListMigrations
from actors.resources.outbox import SENT_BY, CountWaiting
from actors.resources.retention import ListRetentionRuns, RetentionRun
from server.api import render
from server.api.services import Services
from server.telemetry.alerts.alert import Alert
from server.telemetry.backup_state import ShippingState
from server.telemetry.status.figures import Level, levels, series
from server.telemetry.status.samples import quantile


async def whole(services: Services) -> render.Json:
    """For administrators. Raises `StorageUnavailable` where the database cannot be read."""
    applied = await services.ask(ListMigrations())
    sizes = {name: _size(path) for name, path in services.measured_files.items()}
    return {
        "version": services.version,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **open_to_all(services),
        "parts": _parts(services, with_reasons=True),
        "figures": _figures(services, only_public=False),
        "slowest": _slowest(services),
        "database": {**sizes, "migrations": len(applied), "newest_migration": applied[-1] if applied else None},
        "backups": _backups(services),
        "alerts": [_alert(alert) for alert in services.alerts],
        "sending": await _sending(services),
        "retention": [
            retention_run_view(run)
            for run in (await services.ask(ListRetentionRuns(limits.RETENTION_RUNS_SHOWN))).items
        ],
        "unhandled_errors": services.error_groups.total,
        "warnings": list(services.warnings),
    }


def open_to_all(services: Services) -> render.Json:
    """No reasons, versions, names or numbers of users."""
    services.history.refresh()
    return {
        "status": "ok" if services.history.is_healthy else "unavailable",
        "started_at": render.iso_time(int(services.started_at * 1000)),
        "uptime_seconds": int(time.time() - services.started_at),
        "parts": _parts(services, with_reasons=False),
        "levels": [_level(level) for level in levels(services.history.samples)],
        "figures": _figures(services, only_public=True),
    }


def _parts(services: Services, *, with_reasons: bool) -> list[render.Json]:
    return [
        {
            "name": name,
            "status": "ok" if part.finding.reason is None else "failing",
            "reason": part.finding.reason if with_reasons else None,
            "since": _time(part.since),
        }
        for name, part in services.history.parts.items()
    ]


def _level(level: Level) -> render.Json:
    return {
        "name": level.name, "objective": level.objective, "value": level.value, "unit": level.unit,
        "is_met": level.is_met, "budget_left": round(level.budget_left, 4),
    }  # fmt: skip


def _figures(services: Services, *, only_public: bool) -> render.Json:
    samples = list(services.history.samples)
    found = [each for each in series(samples) if each.is_public or not only_public]
    return {
        "times": [_time(sample.at) for sample in samples[1:]],
        "series": [
            {"name": each.name, "title": each.title, "unit": each.unit, "values": [*map(_rounded, each.values)]}
            for each in found
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _slowest(services: Services) -> list[render.Json]:
    """Since the start, by the time that 95 % of their invocations took at most."""
    errors = services.measures.operation_errors
    found = [
        _operation(
            name, transport, histogram, sum(count for key, count in errors.items() if key[:2] == (name, transport))
        )
        for (name, transport), histogram in services.measures.operation_seconds.items()
        if histogram.count >= limits.STATUS_LEAST
    ]
    return sorted(found, key=lambda each: -each["p95_seconds"])[: limits.STATUS_SLOWEST]


def _operation(name: str, transport: str, histogram: Histogram, errors: int) -> dict[str, Any]:
    count = histogram.count
    return {
        "operation": name, "transport": transport, "count": count, "errors": errors,
        "mean_seconds": _rounded(histogram.sum / count),
        "p95_seconds": _rounded(quantile(tuple(histogram.counts), 0.95)),
    }  # fmt: skip


def _alert(alert: Alert) -> render.Json:
    return {
        "rule": alert.rule.text, "state": alert.state, "since": _time(alert.since) if alert.since else None,
        "reason": alert.look_now.reason, "value": _rounded(alert.look_now.value),
    }  # fmt: skip


async def _sending(services: Services) -> list[render.Json]:
    """Of the ways in which this server sends."""
    waiting, given_up = await services.ask(CountWaiting()), services.measures.given_up()
    samples = services.history.samples
    before = samples[0].given_up if samples else {}
    return [
        {
            "way": way, "waiting": waiting[way].count, "oldest_at": render.maybe_time(waiting[way].oldest_at),
            "failed_last_hour": given_up[way] - before.get(way, 0),
        }
        for way in SENT_BY
        if way != "email" or services.digests is not None
    ]  # fmt: skip


def _backups(services: Services) -> render.Json:
    state = services.backups
    return {
        "is_scheduled": state.is_scheduled,
        "due_at": render.maybe_time(state.due_at),
        "good_at": render.maybe_time(state.good_at),
        "name": state.name or None,
        "size": state.size,
        "seconds": round(state.seconds, 3),
        "failing_since": render.maybe_time(state.failing_since),
        "reason": state.reason or None,
        "continuous": _shipping(state.shipping) if state.shipping.is_on else None,
    }


def _shipping(state: ShippingState) -> render.Json:
    return {
        "shipped_at": render.maybe_time(state.shipped_at),
        "lag_seconds": round(state.lag_seconds(), 3),
        "without_backup_since": render.maybe_time(state.without_backup_since),
        "waiting": state.waiting,
        "failing_since": render.maybe_time(state.failing_since),
        "reason": state.reason or None,
    }


def retention_run_view(run: RetentionRun) -> render.Json:
    tally = run.tally
    return {
        "rule": tally.rule, "started_at": render.iso_time(run.started_at), "items": tally.items, "rows": tally.rows,
        "size": tally.size,
    }  # fmt: skip


def _size(path: Any) -> int:
    try:
        return int(path.stat().st_size)
    except OSError:
        return 0


def _time(seconds: float) -> str:
    return render.iso_time(int(seconds * 1000))
