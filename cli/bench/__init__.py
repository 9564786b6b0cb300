"""`xp bench`: a load test of a running server; without a scenario, the benchmarks that come with a checkout."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import click

from cli.opening.server_calls import server_options
from cli.terminal.console import json_option
from cli.terminal.numbers import Real
from cli.terminal.times import Duration


@click.command("bench", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--scenario", default=None, metavar="NAME|FILE", help="Scenario that is run: a name, or a file.")
@click.option("--list", "is_list", is_flag=True, help="List the scenarios that come with the program.")
@click.option("--for", "seconds", type=Duration(), default=None, help="Hold one rate for so long, and judge growth.")
@click.option("--rate", type=Real(min=0, min_open=True), default=None, help="Rate for --for, a second.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Write a page with charts.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Write JSON.")
@click.option("--yes-this-server", is_flag=True, help="Load a server that is not on this machine.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@server_options
@json_option
@click.pass_context
def command(
    ctx: click.Context, /, scenario: str | None, is_list: bool, arguments: tuple[str, ...], as_json: bool,
    url: str | None, token: str | None, seconds: int | None, rate: float | None, html: Path | None,
    report: Path | None, yes_this_server: bool, **flags: str | None,
) -> None:  # fmt: skip
    """Run the benchmarks, or with --scenario a load test of a running server.

    A load test signs users in by tokens that are minted here, or as the one user of --token; it creates threads of its
    own, and removes them. Arrivals come when they are due, however slow the server is. Ctrl-C ends it with the report
    of what it has; exit code 1 if a goal is missed. Arguments without a scenario are passed to the benchmarks of the
    checkout; --help after --.

    Example: xp bench --scenario chat --html report.html
    """
    if is_list:
        _print_scenarios()
    elif scenario is None:
        if seconds is not None or rate is not None or html is not None or report is not None:
            raise click.UsageError("--for, --rate, --html and --report belong to a load test: add --scenario.")
        ctx.exit(_benchmarks(arguments))
    elif arguments:
        raise click.UsageError(f"A load test takes options alone; got {arguments[0]!r}.")
    else:
        from cli.bench.load_test import Wanted, load_test

        wanted = Wanted(scenario, url, token, seconds, rate, html, report, yes_this_server, as_json)
        ctx.exit(load_test(wanted, flags))


def _print_scenarios() -> None:
    from cli.terminal.console import print_table
    from loadtest import scenario

    rows = [(name, scenario.load(name).description) for name in scenario.shipped()]
    print_table(("scenario", "what happens"), rows)


def _benchmarks(arguments: tuple[str, ...]) -> int:
    if not _is_installed():
        raise click.ClickException("The benchmarks are not installed; run this in a checkout of the project.")
    return subprocess.call([sys.executable, "-m", "bench", *arguments])  # noqa: S603 - ourselves


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec("bench.__main__") is not None
    except ModuleNotFoundError:
        return False
