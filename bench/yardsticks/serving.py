"""Runs a plain aiohttp application on uvloop until SIGTERM."""

import asyncio
import signal
import sys

import uvloop
from aiohttp import web


def run(application: web.Application) -> None:
    """On the port that is the only argument of the command line."""
    uvloop.run(_serve(application, int(sys.argv[1])))


async def _serve(application: web.Application, port: int) -> None:
    async def ready(_: web.Request) -> web.Response:
        return web.Response(text="ready")

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    application.router.add_get("/ready", ready)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    await stop.wait()
