"""Commands of `xp` that the server starts as processes of their own, with its settings; they give way to clients."""

import asyncio
import contextlib
import os
import sys

from cli.settings import Settings


async def start_xp(
    chosen: Settings, *arguments: str, stdin: int = asyncio.subprocess.DEVNULL, stdout: int = asyncio.subprocess.DEVNULL
) -> asyncio.subprocess.Process:
    """Its stderr is a pipe."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "cli.main", *arguments,
        stdin=stdin, stdout=stdout, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **chosen.texts, "XP_TRACEBACK": ""},
    )  # fmt: skip
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)  # clients come first
    return process
