"""Exports as answers to requests: at once where they are quick, and as files to download."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from actors import limits
from actors.errors import Conflict
from server.exports.exported import Exported
from server.files.names import content_disposition
from server.http.middleware import HEADER, correlation_id


@asynccontextmanager
async def at_once() -> AsyncIterator[None]:
    """Raises `Conflict` where what is inside takes longer than a client waits."""
    try:
        async with asyncio.timeout(limits.EXPORT_AT_ONCE_SECONDS):
            yield
    except TimeoutError as error:
        raise Conflict(
            f"This export takes more than {limits.EXPORT_AT_ONCE_SECONDS:g} seconds; ask for it as a job, by `POST` to "
            "`/artifacts/{id}/exports` or `/threads/{id}/exports`.",
            code="export_takes_long",
        ) from error


def file_headers(name: str, media_type: str) -> dict[str, str]:
    """Of a file that is only ever downloaded."""
    return {
        HEADER: correlation_id.get(),
        "Content-Type": media_type,
        "Content-Disposition": content_disposition(name, inline=False),
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }


def headers_of(made: Exported) -> dict[str, str]:
    said = {
        "X-Missing-Scripts": made.missing_scripts, "X-Undrawn-Charts": made.undrawn, "X-Left-Out": made.left_out,
    }  # fmt: skip
    return file_headers(made.name, made.media_type) | {name: str(value) for name, value in said.items() if value}
