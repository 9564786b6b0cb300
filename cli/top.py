"""`xp top`: the status of the running server, live."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from actors import limits
from cli import settings
from cli.opening.server_calls import ServerCalls, server_options
from cli.terminal.console import console, json_option, plain, print_json

if TYPE_CHECKING:
    from rich.console import RenderableType

BARS = "▁▂▃▄▅▆▇█"


@click.command()
@click.option("--every", type=click.IntRange(1, 3600), default=5, show_default=True, help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="Show it once, and end.")
@server_options
@json_option
def command(every: int, once: bool, url: str | None, token: str | None, as_json: bool, **flags: str | None) -> None:
    """Show the status of the running server, live: what the page /status shows administrators.

    Health, service levels and figures of the last hour, the slowest operations. Figures are taken every 10 s. Ctrl-C
    ends it.

    Example: xp top
    """
    calls = ServerCalls(settings.load(flags), url, token)
    if as_json:
        print_json(_status(calls))
    elif once:
        console().print(_shown(_status(calls)))
    else:
        _live(calls, every)


def _status(calls: ServerCalls) -> Any:
    return calls.ask("GET", "/api/v1/admin/status")


def _live(calls: ServerCalls, every: int) -> None:
    from rich.live import Live

    with Live(_shown(_status(calls)), console=console(), screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(every)  # until the next look at a server that runs elsewhere
            live.update(_shown(_status(calls)), refresh=True)


def _shown(status: Any) -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    return Group(Text("\n".join(_head(status))), _levels(status), _figures(status), _slowest(status))


def _head(status: Any) -> Iterator[str]:
    yield f"experience-server {status['version']}: {status['status']}, up for {status['uptime_seconds']:,} s"
    for part in status["parts"]:
        if part["status"] != "ok":
            yield f"✗ {part['name']} fails since {part['since'][:16]}: {plain(part['reason'])}"
    for each in status["sending"]:
        if each["waiting"] or each["failed_last_hour"]:
            since = f" since {each['oldest_at'][:16]}" if each["oldest_at"] else ""
            given_up = f"{each['failed_last_hour']:,} given up in the last hour"
            yield f"{each['way']}: {each['waiting']:,} wait{since}; {given_up}"
    backups = status["backups"]
    newest = backups["good_at"][:16] if backups["good_at"] else "none"
    yield f"backups: newest good one {newest}; unhandled errors: {status['unhandled_errors']:,}"


def _table(*columns: str) -> Any:
    from rich.table import Table

    table = Table(header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _levels(status: Any) -> Any:
    from server.telemetry.status.charts import shown

    table = _table("service level", "last hour", "", "budget left")
    for level in status["levels"]:
        met = "met" if level["is_met"] else "MISSED"
        table.add_row(level["objective"], shown(level["value"], level["unit"]), met, f"{level['budget_left']:.0%}")
    return table


def _figures(status: Any) -> Any:
    from server.telemetry.status.charts import last, shown

    table = _table("", "now", "the last ten minutes")
    for series in status["figures"]["series"]:
        values = series["values"]
        table.add_row(series["title"], shown(last(values), series["unit"]), sparkline(values[-limits.TOP_SAMPLES :]))
    return table


def sparkline(values: Sequence[float | None]) -> str:
    """A bar for each value; a blank where there is none."""
    top = max((value for value in values if value is not None), default=0) or 1
    return "".join(" " if value is None else BARS[round(value / top * (len(BARS) - 1))] for value in values)


def _slowest(status: Any) -> Any:
    from server.telemetry.status.charts import shown

    table = _table("operation", "by", "count", "errors", "mean", "95 % within")
    for each in status["slowest"]:
        table.add_row(
            each["operation"], each["transport"], f"{each['count']:,}", f"{each['errors']:,}",
            shown(each["mean_seconds"], "s"), shown(each["p95_seconds"], "s"),
        )  # fmt: skip
    return table
