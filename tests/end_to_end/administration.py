"""The `xp` command beside a running server."""

import asyncio
import os
import sys

from tests.serving import ServerProcess


async def xp(process: ServerProcess, *arguments: str) -> None:
    environment = {**os.environ, **process.settings}
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    assert await running.wait() == 0
