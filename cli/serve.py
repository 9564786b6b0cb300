"""`xp serve`: reads the settings, serves until it is stopped."""

import asyncio
import gc
import signal

import click
import uvloop

from cli import settings
from cli.opening.keys import source_of
from cli.serving import log_lines
from cli.serving.assembly import running
from cli.serving.greeting import greet
from cli.serving.listening import listen, notify, passed_socket
from cli.serving.published_settings import published
from cli.settings import Settings
from storage.database import DatabaseProblem
from storage.lock import data_folder_lock


@click.command()
@settings.options()
def command(**flags: str | None) -> None:
    """Start the server.

    Every setting is a flag, or an environment variable of the name in brackets.

    Example: xp serve --port 8787 --data-dir ./data
    """
    chosen = settings.load(flags)
    log_lines.configure(chosen["log_level"], chosen["log_format"])
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(chosen))
    except DatabaseProblem as problem:
        raise click.ClickException(str(problem)) from problem


async def _serve(chosen: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with (
        data_folder_lock(chosen["data_dir"], source_of(chosen)),
        passed_socket() or listen(chosen["host"], chosen["port"]) as listener,
        published(chosen),
    ):
        async with running(chosen, listener):
            greet(chosen, listener)
            _relax_collector()
            notify("READY=1")
            await stop.wait()
            notify("STOPPING=1")
            click.echo("Stopping: no new connections; clients are asked to reconnect.", err=True)


def _relax_collector() -> None:
    """What is there now lives as long as the process, and requests leave few cycles: collecting after every 700 new
    objects, as Python does, took a tenth of the throughput."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
