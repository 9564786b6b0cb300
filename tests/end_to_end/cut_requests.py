"""Requests whose line breaks after some of their bytes, as a client on a train would send them."""

import asyncio
from dataclasses import dataclass

import orjson


@dataclass(frozen=True)
class Whole:
    """A request with all of its body."""

    method: str
    path: str
    token: str
    body: bytes
    headers: str = ""
    """Each ends with CRLF."""

    @property
    def head(self) -> bytes:
        return (
            f"{self.method} {self.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n"
            f"{self.headers}Content-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        ).encode()


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    """By lower-case names."""
    body: bytes

    @property
    def data(self) -> dict[str, object]:
        found = orjson.loads(self.body)
        assert found["success"], found
        data = found["data"]
        assert isinstance(data, dict)
        return data


async def send(port: int, request: Whole) -> Reply:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request.head)
        writer.write(request.body)
        await writer.drain()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        pairs = (each.partition(": ") for each in lines)
        return Reply(int(line.split()[1]), {name.lower(): value for name, _, value in pairs}, body)
    finally:
        writer.close()


async def send_until(port: int, request: Whole, cut: int) -> None:
    """All of it is announced; after so many bytes of the body the line breaks, without a goodbye."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.head)
    writer.write(request.body[:cut])
    await writer.drain()
    writer.transport.abort()
