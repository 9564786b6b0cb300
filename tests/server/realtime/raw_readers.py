"""Readers of one thread by hand, over whatever carries it: what they do not take stays with the server."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from tests.raw_socket import RawSocket, raw_socket, small_connection
from tests.server.realtime.viewers import EVENTS
from tests.serving import Client

RAW_KINDS = ("websocket", "http_stream", "sse", EVENTS)


async def websocket_of(socket: RawSocket, alice: Client, thread: Any) -> None:
    await socket.command(1, "connect", token=alice.token)
    await socket.frame()
    await socket.command(2, "subscribe", channel=f"thread:{thread['id']}")
    await socket.frame()


async def stream_of(socket: RawSocket, alice: Client, thread: Any) -> None:
    path = f"/api/v1/threads/{thread['id']}/events"
    await socket.send(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\n\r\n".encode())
    await socket.reader.readuntil(b"event: ready")


async def emulated_of(socket: RawSocket, kind: str, alice: Client, thread: Any) -> None:
    commands = [
        {"id": 1, "connect": {"token": alice.token}},
        {"id": 2, "subscribe": {"channel": f"thread:{thread['id']}"}},
    ]
    frame = "\n".join(map(json.dumps, commands))
    if kind == "sse":
        await socket.send(f"GET /connection/sse?cf_connect={quote(frame)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    else:
        head = "POST /connection/http_stream HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        await socket.send(f"{head}Content-Length: {len(frame)}\r\n\r\n{frame}".encode())
    await socket.reader.readuntil(b'"subscribe"')


@asynccontextmanager
async def raw_reader(kind: str, url: str, alice: Client, thread: Any) -> AsyncIterator[RawSocket]:
    """It follows the thread already."""
    if kind == "websocket":
        async with raw_socket(url) as socket:
            await websocket_of(socket, alice, thread)
            yield socket
        return
    async with small_connection(url) as socket:
        if kind == EVENTS:
            await stream_of(socket, alice, thread)
        else:
            await emulated_of(socket, kind, alice, thread)
        yield socket
