"""The file of an export on its way to a client, as long as its reader may have it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from actors.errors import XpError
from server.files.watch import Allowed, Watch
from server.http.aiohttp_internals import bytes_written


class WatchedFile(web.FileResponse):
    """Rights are looked at while bytes move; where they have ended, the connection is cut in the middle."""

    def __init__(self, path: Path, headers: dict[str, str], allowed: Allowed, *, draining: Callable[[], bool]) -> None:
        super().__init__(path, headers=headers)
        self._allowed = allowed
        self._draining = draining

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Sends all of it. Raises `ConnectionError` where it was ended."""
        sending = asyncio.ensure_future(super().prepare(request))
        reasons: list[XpError] = []

        def end(reason: XpError) -> None:
            reasons.append(reason)
            sending.cancel()

        async with Watch(self._allowed, self._sent, end, draining=self._draining).running():
            try:
                return await sending
            except asyncio.CancelledError:
                if not reasons:
                    raise
        if request.transport is not None:
            request.transport.abort()  # after the sending: asyncio's own sendfile is in disorder otherwise
        raise ConnectionResetError(f"an export was not sent to its end: {reasons[0].detail}")

    def _sent(self) -> int:
        return bytes_written(self)
