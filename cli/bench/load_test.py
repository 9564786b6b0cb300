"""A load test from the terminal: what is wanted, the run, what is shown and written."""

import asyncio
import os
import resource
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import uvloop

from actors import limits
from cli import settings
from cli.bench.targets import check_target, tokens
from cli.opening.server_calls import ServerCalls
from cli.terminal.console import console, plain, print_json, print_table, progress_bar

if TYPE_CHECKING:
    from loadtest.run import Outcome
    from loadtest.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options say."""

    scenario: str
    url: str | None
    token: str | None
    seconds: int | None
    rate: float | None
    html: Path | None
    report: Path | None
    yes_this_server: bool
    as_json: bool


def load_test(wanted: Wanted, flags: Mapping[str, str | None]) -> int:
    """Exit code: 0 where every goal is reached. Raises `click.ClickException` with a sentence."""
    from loadtest.page import page_of
    from loadtest.problems import LoadProblem
    from loadtest.report import report_of

    chosen = settings.load(flags)
    scenario = _scenario(wanted)
    for path in (wanted.report, wanted.html):
        _must_have_folder(path)
    url = ServerCalls(chosen, wanted.url).address
    check_target(url, is_meant=wanted.yes_this_server)
    users = tokens(chosen, wanted.token, scenario.population.users, scenario.seconds)
    _allow_connections()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(_run(wanted, url, users, scenario, chosen["metrics_token"]))
    except LoadProblem as problem:
        raise click.ClickException(str(problem)) from None
    report = report_of(outcome)
    if wanted.as_json:  # first: the disk may be full by now
        print_json(report)
    else:
        _show(report)
    if wanted.report is not None:
        wanted.report.write_bytes(_json(report))
    if wanted.html is not None:
        wanted.html.write_text(page_of(outcome, report))
    return 0 if report["passed"] else 1


def _must_have_folder(path: Path | None) -> None:
    """Before a run of hours. Raises `click.ClickException`."""
    if path is not None and not os.access(path.parent, os.W_OK | os.X_OK):
        raise click.ClickException(
            f"{path}: the report cannot be written; is its folder there, and may you write in it?"
        )


def _scenario(wanted: Wanted) -> "Scenario":
    from loadtest.scenario import ScenarioProblem, load

    try:
        scenario = load(wanted.scenario)
    except ScenarioProblem as problem:
        raise click.ClickException(str(problem)) from None
    if wanted.seconds is None and wanted.rate is None:
        return scenario
    if wanted.rate is not None and wanted.rate > limits.LOAD_RATE:
        raise click.ClickException(f"--rate: expected at most {limits.LOAD_RATE:,.0f}; got {wanted.rate:,.0f}.")
    if wanted.seconds is not None and wanted.seconds > limits.LOAD_SECONDS:
        raise click.ClickException(
            f"--for: expected at most {limits.LOAD_SECONDS / 86_400:.0f}d; got {wanted.seconds:,} s."
        )
    return scenario.lasting(float(wanted.seconds or scenario.seconds), wanted.rate)


async def _run(
    wanted: Wanted, url: str, users: list[str], scenario: "Scenario", metrics_token: str | None
) -> "Outcome":
    from loadtest.run import Run
    from loadtest.soak.samples import Samples

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    samples = Samples(url, scenario.seconds, metrics_token) if wanted.seconds is not None else None
    with progress_bar(scenario.title) as progress:
        return await Run(url, users, scenario, stop, samples).run(
            lambda at: progress(round(at), round(scenario.seconds))
        )


def _allow_connections() -> None:
    """As many open files as the system lets this process have: each simulated user takes two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard and soft < limits.DESCRIPTORS:
        wanted = limits.DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, limits.DESCRIPTORS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _json(report: Any) -> bytes:
    import orjson

    return orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _show(report: Any) -> None:
    from loadtest.page import COLUMNS, amount

    timed = [*report["actions"].items(), ("delivery", report["delivery"]), ("first words", report["first_words"])]
    rows = [
        (name, f"{found['count']:,}", f"{found['per_second']:,.1f}", *(amount(found[key]) for key in COLUMNS))
        for name, found in timed
        if found["count"]
    ]
    shown = [name.replace("_", ".") for name in COLUMNS]
    print_table(("in milliseconds", "count", "a second", *shown), rows, right=("count", "a second", *shown))
    if report["errors"]:
        errors = [(each["action"], plain(each["code"]), f"{each['count']:,}") for each in report["errors"]]
        print_table(("failed", "code", "count"), errors, right=("count",))
    goals = [
        (verdict["what"], amount(verdict["value"]), amount(verdict["at_most"]), _mark(verdict))
        for verdict in report["verdicts"]
    ]
    print_table(("what", "reached", "at most", "holds"), goals, right=("reached", "at most"))
    for line in _notes(report):
        console().print(line)


def _mark(verdict: Any) -> str:
    if not verdict["judged"]:
        return "too short to say"
    return "✓" if verdict["passed"] else "✗"


def _notes(report: Any) -> Iterator[str]:
    generator, requests = report["generator"], report["requests"]
    yield (
        f"{requests['done']:,} done, {requests['failed']:,} failed in {report['seconds']:,.1f} s; the generator used "
        f"{generator['cores']:.2f} cores and was {generator['late']['p99'] or 0:.1f} ms late (p99)."
    )
    if report["interrupted"]:
        yield "It was interrupted: this is what it had."
    if report["soak"] and report["soak"]["problem"]:
        yield f"Samples are missing: {plain(report['soak']['problem'])}"
    if report["threads_left"]:
        yield f"Threads that could not be removed: {', '.join(report['threads_left'])}"
