"""What an alert says, in words and as JSON."""

from typing import Final

from server.api import render
from server.telemetry.alerts.alert import Notice
from server.telemetry.status.charts import shown
from server.telemetry.status.figures import READINGS

RUNBOOKS: Final = {
    "database": "experiencejournaldown", "errors": "experienceerrors", "p50": "experienceslow", "p95": "experienceslow",
    "lag_p95": "experienceeventlooplag", "commit_p95": "experiencecommitsslow", "connections": "experiencesocketsfull",
    "backups": "experiencebackuplate",
}  # fmt: skip
"""Part or figure → its section of docs/runbooks.md."""


def sentence(notice: Notice) -> str:
    """`The database fails: disk full. Since 2026-11-29 20:15 UTC.`"""
    since = f"Since {render.iso_time(int(notice.since * 1000))[:16].replace('T', ' ')} UTC."
    if notice.state == "resolved":
        return f"Resolved: {notice.rule.text}. {since}"
    runbook = RUNBOOKS.get(notice.rule.about)
    advice = f" What to do: docs/runbooks.md#{runbook}" if runbook else ""
    return f"{_what(notice)} {since}{advice}"


def _what(notice: Notice) -> str:
    rule = notice.rule
    if rule.bound is None:
        return f"The part {rule.about!r} of the server fails: {notice.look.reason or 'it has failed since'}."
    reading = READINGS[rule.about]
    value, bound = shown(notice.look.value, reading.unit), shown(rule.bound, reading.unit)
    return f"{reading.title} {value} (more than {bound})."


def document(notice: Notice, server: str) -> render.Json:
    """`text` is what incoming webhooks of chats show."""
    return {
        "text": f"[{server}] {sentence(notice)}",
        "server": server,
        "alert": notice.rule.text,
        "state": notice.state,
        "since": render.iso_time(int(notice.since * 1000)),
        "at": render.iso_time(int(notice.at * 1000)),
        "reason": notice.look.reason,
        "value": notice.look.value,
        "bound": notice.rule.bound,
    }
