"""Waiting for what the server does by itself."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Sequence

from actors.delivery.connection import ConnectionActor
from actors.runtime.loop_actor import LoopActor
from actors.threads.actor import ThreadActor
from tests.realtime_client import PATIENCE
from tests.serving import Server


async def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the server has no event for what tests look at
            await asyncio.sleep(0.005)


def forget_old_objects() -> None:
    """From now on the collector looks only at what is made: after thousands of tests a whole look takes seconds."""
    gc.collect()
    gc.freeze()


async def freed(held: Sequence[weakref.ref[object]]) -> None:
    """Each of them: by count, or by the collector where it is part of a cycle."""
    await until(lambda: gc.collect() >= 0 and not any(reference() for reference in held))


def connections(server: Server) -> int:
    """How many WebSockets and streams have an actor."""
    return server.services.directory._stage.count(ConnectionActor)


def subscribers(server: Server) -> int:
    """Of all threads, by the threads' own accounts."""
    return sum(len(actor._audience) for actor in server.services.directory._threads.values())


async def nothing_is_left(server: Server) -> None:
    """Of connections that have gone."""
    await until(lambda: connections(server) == 0)
    await until(lambda: subscribers(server) == 0)
    hub = server.services.hub
    assert (hub.size, len(hub.users), len(hub.addresses)) == (0, 0, 0)
    stage = server.services.directory._stage
    await until(lambda: stage.count(LoopActor) - stage.count(ThreadActor) == 1)  # the auth actor
