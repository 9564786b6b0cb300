"""Connections that are not served, and bodies that are too many."""

import asyncio

from aiohttp import web

from actors.errors import Overloaded
from actors.identifiers import new_id
from server.http import problems


class TooMuchUnfinished(web.RequestPayloadError):
    """Too many bytes of bodies are held that have not ended."""

    def __init__(self) -> None:
        super().__init__("too many bodies have begun and not ended; send fewer at once")


def refuse(transport: asyncio.BaseTransport, problem_base: str) -> None:
    """Say why, as well as one can to a client that has not asked anything yet, and hang up."""
    assert isinstance(transport, asyncio.Transport)
    error = Overloaded("All connections are taken; retry in a moment.")
    body = problems.body(error, base=problem_base, correlation_id=new_id())
    transport.set_protocol(asyncio.Protocol())
    transport.write(
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 5\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    transport.close()
