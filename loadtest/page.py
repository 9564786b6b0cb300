"""The report as one HTML file: tables and pictures, without scripts and without anything to load."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from loadtest.charts import Line, over_time, percentile_curve
from loadtest.report import Report
from loadtest.run import Outcome

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #dde3ea}
th:first-child,td:first-child{text-align:left}
.good{color:#047857}.bad{color:#b91c1c;font-weight:600}figure{margin:1rem 0}figcaption{font-weight:600}
figcaption span{font-weight:400;margin-left:1rem}
figcaption i{display:inline-block;width:.8em;height:.8em;margin-right:.3em}
svg{width:100%;height:auto}polyline{fill:none;stroke-width:1.6}text{font-size:11px;fill:#5b6673}
.grid{stroke:#dde3ea}.note{color:#5b6673}
"""
COLUMNS = ("p50", "p95", "p99", "p99_9", "max")


def page_of(outcome: Outcome, report: Report) -> str:
    parts = [
        f"<h1>{escape(report['title'])}</h1>", _summary(report), _verdicts(report), _actions(report), _errors(report),
        _pictures(outcome, report), _subscribers(report), _soak(report), _notes(report),
    ]  # fmt: skip
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(report['title'])}: load test</title><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _summary(report: Report) -> str:
    requests = report["requests"]
    end = " It was interrupted." if report["interrupted"] else ""
    verdict = '<b class="good">passed</b>' if report["passed"] else '<b class="bad">missed</b>'
    return (
        f"<p>{escape(report['scenario']['description'])}</p><p>{verdict}: {requests['done']:,} requests done, "
        f"{requests['failed']:,} failed, {report['seconds']:,.0f} s, {escape(report['server'])}, "
        f"{report['began']}.{end}</p>"
    )


def _verdicts(report: Report) -> str:
    rows = [
        (
            verdict["what"], amount(verdict["value"]), amount(verdict["at_most"]),
            ("too short to say" if not verdict["judged"] else "yes" if verdict["passed"] else "no"),
        )
        for verdict in report["verdicts"]
    ]  # fmt: skip
    return "<h2>Goals</h2>" + _table(("what", "reached", "at most", "holds"), rows)


def _actions(report: Report) -> str:
    timed = [*report["actions"].items(), ("delivery", report["delivery"]), ("first words", report["first_words"])]
    rows = [
        (name, f"{found['count']:,}", f"{found['per_second']:,.1f}", *(amount(found[key]) for key in COLUMNS))
        for name, found in timed
        if found["count"]
    ]
    columns = ("action", "count", "a second", *(f"{name.replace('_', '.')} ms" for name in COLUMNS))
    return "<h2>Durations, from the moment at which each was due</h2>" + _table(columns, rows)


def _errors(report: Report) -> str:
    if not report["errors"]:
        return "<h2>Errors</h2><p>None.</p>"
    rows = [(each["action"], each["code"], f"{each['count']:,}") for each in report["errors"]]
    return "<h2>Errors</h2>" + _table(("action", "code", "count"), rows)


def _pictures(outcome: Outcome, report: Report) -> str:
    timeline = report["timeline"]
    width, slots = timeline["width"], timeline["slots"]

    def line(name: str, key: str, share: float = 1.0) -> Line:
        points = [
            ((index + 0.5) * width, None if slot[key] is None else slot[key] / share)
            for index, slot in enumerate(slots)
        ]
        return name, points

    curves: list[Line] = [
        (name, [(share, seconds * 1000) for share, seconds in histogram.curve()])
        for name, histogram in sorted(outcome.figures.latency.items(), key=lambda item: -item[1].count)[:4]
    ]
    return (
        over_time("Requests a second", [line("done", "done", width), line("failed", "failed", width)], amount)
        + over_time("Latency", [line(name, name) for name in ("p50", "p95", "p99")], milliseconds)
        + over_time("Deliveries a second", [line("delivered", "delivered", width)], amount)
        + percentile_curve("Latency by percentile", curves, milliseconds)
    )


def _subscribers(report: Report) -> str:
    rows = [(name, f"{value:,}") for name, value in report["subscribers"].items()]
    return "<h2>Subscribers</h2>" + _table(("", ""), rows)


def _soak(report: Report) -> str:
    soak = report["soak"]
    if soak is None:
        return ""
    charts = "".join(
        over_time(
            name,
            [(name, list(zip(soak["times"], series["values"], strict=True)))],
            bytes_text if series["unit"] == "B" else amount,
        )
        for name, series in soak["series"].items()
    )
    rows = [
        (
            each["name"], amount(each["median"]), amount(each["per_hour"]), amount(each["growth"]),
            "too short to say" if each["is_flat"] is None else "yes" if each["is_flat"] else "no",
        )
        for each in soak["verdicts"]
    ]  # fmt: skip
    problem = f'<p class="bad">{escape(soak["problem"])}</p>' if soak["problem"] else ""
    return (
        "<h2>The server meanwhile</h2>" + _table(("", "median", "an hour", "growth", "flat"), rows) + problem + charts
    )


def _notes(report: Report) -> str:
    generator = report["generator"]
    late = generator["late"]["p99"]
    return (
        f'<p class="note">The generator used {generator["cores"]:.2f} cores, and started arrivals at most '
        f"{amount(late)} ms late in 99 % of the cases. Durations count from the moment at which an arrival was due, so "
        "they include what waits behind a slow server. They are at most 0.8 % too long, never too short.</p>"
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    kind = {"yes": ' class="good"', "no": ' class="bad"'}.get(text, "")
    return f"<td{kind}>{escape(text)}</td>"


def amount(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:,.3g}"


def milliseconds(value: float) -> str:
    return f"{value / 1000:.3g} s" if value >= 1000 else f"{value:.3g} ms"


def bytes_text(value: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if abs(value) < 1024:
            return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.3g} GiB"
