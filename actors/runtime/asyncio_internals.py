"""The private part of asyncio that this server uses: how a future tells its task that it is awaited."""

import asyncio
from collections.abc import Callable
from typing import Any


def when_done(awaited: asyncio.Future[Any], callback: Callable[[Any], None]) -> None:
    """Call `callback` once a future is done that a coroutine has yielded, as a task would (asyncio's `Task.__step`)."""
    awaited._asyncio_future_blocking = False
    awaited.add_done_callback(callback)
