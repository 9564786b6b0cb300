"""`xp serve`: reads the settings, serves until it is stopped, or until another process takes over."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import click
import uvloop

from cli import settings
from cli.opening.keys import source_of
from cli.serving import log_lines
from cli.serving.assembly import VERSION, running
from cli.serving.greeting import greet
from cli.serving.handover.handovers import Handovers
from cli.serving.handover.predecessor import Predecessor
from cli.serving.handover.relay import Relay
from cli.serving.handover.seat import Seat
from cli.serving.handover.successor import Successor
from cli.serving.listening import listen, notify, passed_socket
from cli.serving.published_settings import published
from cli.settings import Settings
from storage.database import DatabaseProblem
from storage.lock import data_folder_lock

T = TypeVar("T")


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
    predecessor = Predecessor.of_environment(VERSION)
    if predecessor is None:
        with _own_seat(chosen) as seat:
            await _serve_in_turn(chosen, seat, stop, Relay())
    else:
        await _succeed(predecessor, chosen, stop)


@contextlib.contextmanager
def _own_seat(chosen: Settings) -> Iterator[Seat]:
    with (
        data_folder_lock(chosen["data_dir"], source_of(chosen)) as lock,
        passed_socket() or listen(chosen["host"], chosen["port"]) as listener,
    ):
        yield Seat(listener, lock)


async def _succeed(predecessor: Predecessor, chosen: Settings, stop: asyncio.Event) -> None:
    """Take over from a running server, once this one is ready."""
    relay = Relay()
    async with predecessor:
        seat = await predecessor.get_ready(chosen)
        _relax_collector()
        left = await _first(predecessor.leaves(relay, chosen), stop)
        if left:
            await _serve_in_turn(chosen, seat, stop, relay, predecessor)


async def _serve_in_turn(
    chosen: Settings, seat: Seat, stop: asyncio.Event, relay: Relay, predecessor: Predecessor | None = None
) -> None:
    """Serve until told to stop, or until another process serves; one that fails at it gives the place back."""
    async with Handovers(chosen, seat, VERSION) as handovers:
        while True:
            successor = await _serve_until(chosen, seat, stop, relay, handovers, predecessor)
            if successor is None:
                return
            if await handovers.complete(successor, relay):
                notify(f"MAINPID={successor.pid}")
                return
            predecessor = None
            seat.lock.sign(source_of(chosen))


async def _serve_until(
    chosen: Settings, seat: Seat, stop: asyncio.Event, relay: Relay, handovers: Handovers,
    predecessor: Predecessor | None,
) -> Successor | None:  # fmt: skip
    """Answers the process that is ready to go on; None where the server is to stop."""
    relay.left_at = None
    with published(chosen):
        async with running(chosen, seat.listener.dup(), relay), handovers.offered():
            greet(chosen, seat.listener)
            _relax_collector()
            if predecessor is None:
                notify("READY=1")
            else:
                await predecessor.serves()
            await relay.adopt()
            successor = await _first(handovers.wanted(), stop)
            if successor is None:
                notify("STOPPING=1")
            else:
                relay.leave()
            click.echo("Stopping: no new connections; clients are asked to reconnect.", err=True)
    return successor


async def _first(work: Coroutine[Any, Any, T], stop: asyncio.Event) -> T | None:
    """The result of the work, or None if this process has to stop first."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return None if stop.is_set() else working.result()
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.wait({working, stopping})


def _relax_collector() -> None:
    """What is there now lives as long as the process, and requests leave few cycles: collecting after every 700 new
    objects, as Python does, took a tenth of the throughput."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
