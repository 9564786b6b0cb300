"""The status of the server on the wire."""

from typing import Literal

from pydantic import Field

from actors import limits
from actors.resources.outbox import SENT_BY, SentBy
from actors.resources.retention import LoggedRule
from server.api.fields import Time, View


class PartView(View):
    name: str
    status: Literal["ok", "failing"]
    reason: str | None
    since: Time = Field(description="When it began to work, or to fail; no earlier than the start of the server.")


class LevelView(View):
    name: Literal["p50", "p95", "errors", "availability"]
    objective: str
    value: float | None = Field(description="Of the last hour, in `unit`; null: nothing happened by which to tell.")
    unit: str
    is_met: bool
    budget_left: float = Field(
        description="Share of the error budget of the last hour; below 0: more than all is used."
    )


class SeriesView(View):
    name: str
    title: str
    unit: str
    values: list[float | None] = Field(max_length=limits.STATUS_SAMPLES)


class FiguresView(View):
    times: list[Time] = Field(max_length=limits.STATUS_SAMPLES, description="Ends of the steps that values are of.")
    series: list[SeriesView]


class SlowestView(View):
    operation: str
    transport: str
    count: int
    errors: int
    mean_seconds: float
    p95_seconds: float


class DatabaseFiguresView(View):
    database: int = Field(description="Bytes.")
    wal: int = Field(description="Bytes of the write-ahead log.")
    migrations: int
    newest_migration: str | None


class AlertView(View):
    rule: str
    state: Literal["ok", "waiting", "firing"] = Field(description="waiting: broken, but not yet for long enough.")
    since: Time | None = Field(description="When the rule was first broken.")
    reason: str | None = Field(description="Why a part fails.")
    value: float | None = Field(description="Of a figure, over the last minute.")


class ShippingView(View):
    shipped_at: Time | None = Field(description="What the newest segment in the store holds is as old.")
    lag_seconds: float = Field(ge=0, description="Changes that would be lost with the disk now.")
    without_backup_since: Time | None = Field(
        description="Since when there has been no backup that the segments go on from: they cannot be restored."
    )
    waiting: int = Field(ge=0, description="Bytes that are to be shipped.")
    failing_since: Time | None
    reason: str | None


class BackupsView(View):
    is_scheduled: bool
    due_at: Time | None
    good_at: Time | None = Field(description="What the newest good backup holds is as old.")
    name: str | None
    size: int
    seconds: float
    failing_since: Time | None
    reason: str | None
    continuous: ShippingView | None = Field(description="Null where `BACKUP_CONTINUOUS` is off.")


class RetentionRunView(View):
    rule: LoggedRule
    started_at: Time
    items: int = Field(
        ge=1, description="Threads, messages, entries of the audit log or files that the rule has taken."
    )
    rows: int = Field(ge=1, description="Of the database.")
    size: int = Field(ge=0, description="Bytes of their contents and files.")


class SendingView(View):
    way: SentBy
    waiting: int = Field(ge=0, description="Mails, pushes or deliveries that are to be sent, or tried again.")
    oldest_at: Time | None = Field(description="When the oldest of them was written.")
    failed_last_hour: int = Field(ge=0, description="Not tried again; since the start at most.")


class ServerStatusView(View):
    status: Literal["ok", "unavailable"]
    version: str
    python: str
    sqlite: str
    started_at: Time
    uptime_seconds: int
    parts: list[PartView]
    levels: list[LevelView] = Field(description="Service levels; none in the first seconds.")
    figures: FiguresView
    slowest: list[SlowestView] = Field(max_length=limits.STATUS_SLOWEST)
    database: DatabaseFiguresView
    backups: BackupsView
    alerts: list[AlertView] = Field(max_length=limits.ALERT_RULES, description="The rules of `ALERTS`.")
    sending: list[SendingView] = Field(
        max_length=len(SENT_BY), description="What leaves the server; without `email` where it sends none."
    )
    retention: list[RetentionRunView] = Field(
        max_length=limits.RETENTION_RUNS_SHOWN, description="Newest runs of retention rules that took something."
    )
    unhandled_errors: int = Field(description="Since the start.")
    warnings: list[str] = Field(description="Settings that weaken security, the same as in `xp doctor`.")
