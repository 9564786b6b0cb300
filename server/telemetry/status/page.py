"""The status as a page: plain HTML with small charts, no script; it asks again every ten seconds."""

from html import escape
from typing import Any

from actors import limits
from server.api_docs.html import page, table
from server.telemetry.status.charts import chart, last, shown
from server.telemetry.status.figures import Series

Json = dict[str, Any]
REFRESH = '<meta http-equiv="refresh" content="10">'


def status_page(status: Json) -> str:
    """Of what administrators, or all, may see, as `document` has it."""
    parts = [REFRESH, _summary(status), _health(status), _levels(status), _charts(status)]
    if "version" in status:
        parts += [_alerts(status), _sending(status), _slowest(status), _facts(status), _warnings(status)]
    return page("Status", *parts)


def _summary(status: Json) -> str:
    is_fine = status["status"] == "ok"
    says = "All that is needed works." if is_fine else "The server is not ready."
    up = _duration(status["uptime_seconds"])
    return f'<p class="{"good" if is_fine else "bad"}">{says} Up for {up}.</p>'


def _health(status: Json) -> str:
    """Reasons are for administrators: without any there is no column."""
    rows = [
        (escape(part["name"]), _state(part["status"] == "ok"), _moment(part["since"]), escape(part["reason"] or ""))
        for part in status["parts"]
    ]
    heads = ("part", "state", "since (UTC)", "reason")
    columns = 4 if any(part["reason"] for part in status["parts"]) else 3
    return "<h2>Health</h2>" + table(heads[:columns], [row[:columns] for row in rows])


def _state(is_good: bool) -> str:
    return '<span class="good">works</span>' if is_good else '<span class="bad">fails</span>'


def _levels(status: Json) -> str:
    if not status["levels"]:
        return "<h2>Service levels</h2><p>The first figures come after ten seconds.</p>"
    rows = [
        (
            escape(level["objective"]),
            shown(level["value"], level["unit"]),
            '<span class="good">met</span>' if level["is_met"] else '<span class="bad">missed</span>',
            f"{100 * level['budget_left']:,.0f} %",
        )
        for level in status["levels"]
    ]
    heads = ("objective", "last hour", "", "error budget left")
    return "<h2>Service levels</h2>" + table(heads, rows)


def _charts(status: Json) -> str:
    figures = [
        f"<figure>{chart(series, limits.STATUS_SAMPLES - 1)}<figcaption>{escape(series.title)}: "
        f"<strong>{shown(last(series.values), series.unit)}</strong></figcaption></figure>"
        for series in (
            Series(each["name"], each["title"], each["unit"], tuple(each["values"]))
            for each in status["figures"]["series"]
        )
    ]
    return f'<h2>The last hour</h2><div class="charts">{"".join(figures)}</div>'


def _alerts(status: Json) -> str:
    if not status["alerts"]:
        return ""
    rows = [
        (f"<code>{escape(each['rule'])}</code>", _alert_state(each["state"]), _moment(each["since"] or ""))
        for each in status["alerts"]
    ]
    return "<h2>Alerts</h2>" + table(("rule", "state", "since (UTC)"), rows)


def _alert_state(state: str) -> str:
    return {"ok": '<span class="good">quiet</span>', "waiting": "broken, not yet for long enough"}.get(
        state, '<span class="bad">fires</span>'
    )


WAYS = {"email": "mails", "web_push": "pushes", "webhook": "deliveries to webhooks"}


def _sending(status: Json) -> str:
    rows = [
        (WAYS[each["way"]], f"{each['waiting']:,}", _moment(each["oldest_at"] or "–"), f"{each['failed_last_hour']:,}")
        for each in status["sending"]
    ]
    return "<h2>Sending</h2>" + table(("", "wait", "the oldest since (UTC)", "given up in the last hour"), rows)


def _slowest(status: Json) -> str:
    rows = [
        (
            f"<code>{escape(each['operation'])}</code>", escape(each["transport"]), f"{each['count']:,}",
            f"{each['errors']:,}", shown(each["mean_seconds"], "s"), shown(each["p95_seconds"], "s"),
        )
        for each in status["slowest"]
    ]  # fmt: skip
    heads = ("operation", "by", "count", "errors", "mean", "95 % within")
    return "<h2>Slowest operations</h2>" + table(heads, rows)


def _facts(status: Json) -> str:
    database, backups = status["database"], status["backups"]
    rows = [
        ("Version", escape(f"{status['version']}; Python {status['python']}, SQLite {status['sqlite']}")),
        ("Started", _moment(status["started_at"])),
        ("Database", f"{shown(database['database'], 'B')}, write-ahead log {shown(database['wal'], 'B')}"),
        ("Migrations", escape(f"{database['migrations']}, the newest {database['newest_migration']}")),
        ("Backups", escape(_of_backups(backups))),
        ("Unhandled errors", f"{status['unhandled_errors']:,} since the start; <code>xp errors</code> shows them"),
    ]
    return "<h2>Server</h2>" + table((), rows)


def _of_backups(backups: Json) -> str:
    good = (
        f"the newest good one: {backups['name']} of {_moment(backups['good_at'])} ({shown(backups['size'], 'B')})"
        if backups["good_at"]
        else "none yet"
    )
    if backups["continuous"]:
        good += f"; changes are shipped, {backups['continuous']['lag_seconds']:.0f} s behind"
    due = f"; the next is due {_moment(backups['due_at'])}" if backups["due_at"] else ""
    return f"{good}{due}" if backups["is_scheduled"] else f"not scheduled (BACKUP_SCHEDULE); {good}"


def _warnings(status: Json) -> str:
    if not status["warnings"]:
        return ""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in status["warnings"])
    return f"<h2>Settings that weaken security</h2><ul>{items}</ul>"


def _moment(iso: str) -> str:
    return escape(iso[:16].replace("T", " "))


def _duration(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    shown_days = f"{days} d " if days else ""
    return f"{shown_days}{hours} h {rest // 60} min" if days or hours else f"{rest // 60} min {rest % 60} s"
