"""Work that goes on to its end, whatever becomes of the request that waits for it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AbstractAsyncContextManager
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
        raise


@contextlib.asynccontextmanager
async def unbroken_context(manager: AbstractAsyncContextManager[T]) -> AsyncGenerator[T, None]:
    """The same for entering and leaving: a file that was opened for a task which is cancelled meanwhile is closed."""
    entering = asyncio.ensure_future(_entered(manager))
    try:
        yield await asyncio.shield(entering)
    finally:
        await unbroken(_left(manager, entering))


async def _entered(manager: AbstractAsyncContextManager[T]) -> T:
    return await manager.__aenter__()


async def _left(manager: AbstractAsyncContextManager[T], entering: asyncio.Future[T]) -> None:
    await asyncio.wait([entering])
    if entering.exception() is None:
        await manager.__aexit__(None, None, None)
