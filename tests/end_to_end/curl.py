"""curl as a client."""

import asyncio
import subprocess


async def curl(*arguments: str) -> str:
    """What it writes."""
    _, out = await curl_once(*arguments)
    return out


async def curl_once(*arguments: str) -> tuple[int, str]:
    """Its exit code (0: it has an answer, whatever that says), and what it writes."""
    running = await asyncio.create_subprocess_exec(
        "curl", "-sS", *arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    out, _ = await asyncio.wait_for(running.communicate(), 60)
    assert running.returncode is not None
    return running.returncode, out.decode()
