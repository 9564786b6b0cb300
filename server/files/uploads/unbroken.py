"""Work that goes on to its end, whatever becomes of the request that waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unbroken(work: Coroutine[Any, Any, T]) -> T:
    """Its result. A caller that is cancelled waits for its end all the same, so that what follows finds nothing
    half-done; then nobody is left who would want to know how it went."""
    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()
        raise
